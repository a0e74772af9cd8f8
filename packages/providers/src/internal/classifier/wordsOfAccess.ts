/**
 * Words about who may do what: the account, the model, the credential, the permission, the content policy.
 *
 * All patterns are linear: gaps are bounded and no repetition nests. Words that say nothing about the cause (retry,
 * temporarily, wait, contact support) stand in none of them.
 */
import { pattern } from "./pattern.js"

/** The account, project or resource is suspended. */
export const account = pattern`
  \b(?:account|organi[sz]ation|project|resource|consumer|user|subscription|workspace
  |deployment)\b[^.\n]{0,90}\b(?:suspended|banned|deactivated|terminated|has been disabled|is disabled
  |temporarily blocked|has been blocked|locked|restricted|frozen)\b|\b(?:suspended|banned|deactivated
  |restricted) (?:account|user|organi[sz]ation|project)\b|(?:账号|ip ?(?:地址)?|账户|帐号|帐户|用户|组织|该用户).{0,12}(?:封禁|被封|禁用
  |冻结|停用|锁定|封停)|access (?:was |has been )?terminated
`

/** The country or region is not served. */
export const region = pattern`
  (?:location|country|region|territory|countries|regions)[^.\n]{0,40}(?:not (?:supported|available|allowed)
  |unsupported|unavailable|restricted)|not (?:available|supported|accessible) in (?:your
  |this) (?:current )?(?:country|region|location|area)|unsupported (?:country|region|location)|geo-?(?:blocked
  |restricted)|(?:地区|地域|区域|国家|所在地)[^。\n]{0,12}(?:不支持|不可用|受限|限制)|不支持.{0,6}(?:地区|国家|区域)
`

/** The model is not offered here. */
export const missingModel = pattern`
  \b(?:model|deployment|endpoint|engine|resource|publisher model)s?\b[^\n]{0,160}?(?:\bnot (?:be )?found\b
  |does(?:n'?t| not) exist|not exist\b|is not a valid|not recogni[sz]ed|is unknown
  |not (?:currently )?available (?:for|in|on|to|at)|decommissioned|no longer (?:available|supported|exists)
  |has been (?:retired|removed|shut ?down|deprecated|discontinued|sunset)|is deprecated
  |(?:is )?not supported(?: for| by| in| on|\.|,|$| when)|was retired|not enabled for|is not available\b
  |is not offered|has no (?:available )?(?:provider|endpoint))|(?:unknown|invalid|incorrect|unsupported
  |unrecogni[sz]ed|no such|non-?existent|wrong) (?:or unsupported )?model\b|not a valid model|not supported model
  |cannot find model|unknown provider for model|could not find model|no model named|not found for api version
  |no endpoints found|no (?:allowed )?providers? (?:are )?(?:available|found|supports?) (?:for
  |the) |no healthy deployments? for|\bnot found[^.\n]{0,20}\bmodel\b|model_?not_?found
  |requested entity was not found|(?:模型|接入点|推理点).{0,60}(?:不存在|未找到|不支持|已?下线|已?下架|已停用|不可用|无效|未开放|未配置|未上线)|(?:不存在|未知
  |无效|不支持|找不到|没有找到|无此)[^,。\n]{0,5}模型|无可用渠道|没有可用的?渠道|渠道不存在|モデル.{0,30}(?:見つかりません|存在しません)|모델.{0,30}(?:찾을 수 없|존재하지)
  |modelo .{0,60}no (?:existe|encontrado)
`

/** The credential is missing, wrong or expired. */
export const credential = pattern`
  api[ _-]?keys? (?:is |was |are |has been |you provided |provided )?(?:not (?:valid|found|correct|recogni[sz]ed
  |provided|set|configured|supported)|invalid|incorrect|expired|missing|required|revoked|wrong|malformed|disabled
  |deleted|leaked|unauthorized|does not exist|reported)|(?:invalid|incorrect|missing|expired|wrong|malformed|no
  |bad|unknown|illegal|unauthorized|valid|revoked|not provide an?|empty|your) (?:or (?:missing|expired|invalid
  |disabled) )?(?:x-)?(?:openai |gemini |google |anthropic |azure |provider )?api[ _-]?key(?! (?:is|was
  |has) (?:valid|ok))(?:[^.\n]{0,30}(?:provided|invalid|expired|revoked|passed|required|missing|supplied|specified
  |found|leaked|format)|[.,:!"'\s]|$)(?<!your api key[ .,:"']?)|(?:invalid|incorrect|missing|expired|bad|malformed
  |no) (?:authentication|auth|authorization|bearer|access|oauth2?|id|refresh|security|jwt|api
  |session)?[ -]?(?:credentials?|token(?!s| count| limit|_count)|signature|authorization header|bearer)\b
  |(?:access|auth|oauth|bearer|security|session|refresh|id|authentication|api|jwt) ?token[^.\n]{0,40}(?:invalid
  |expired|revoked|missing|malformed|incorrect|not valid|has been invalidated)
  |\btoken (?:is |has |was |has been )?(?:expired|invalid|revoked|malformed)|(?:invalid|missing
  |wrong) subscription key|authentication (?:failed|failure|error|fails|required|is required|credentials
  |parameter)|failed to authenticate|could not validate|\bkey (?:is|has been|was) (?:disabled|revoked|deleted
  |expired|deactivated|blocked)|api[_ ]key[^.\n]{0,50}(?:must be (?:set|provided)|environment variable)
  |unauthenticated|not authenticated|could not (?:resolve|determine) (?:authentication|credentials?)
  |could not load the default credentials|default credentials were not found|unable to (?:locate|load) credentials
  |credentials? (?:were |was |is |are )?(?:missing|invalid|expired|not found|rejected)|reauthenticat
  |re-?authenticate|please (?:log ?in|sign ?in|login)|login (?:again|required)|not logged in
  |must be (?:a member of an organi|authenticated|logged in)|user not found|invalid_grant
  |keys are not supported by this api|expected oauth ?2|missing authorization|no auth(?:entication
  |orization)? (?:header|credentials|provided)|no cookie auth|(?:令牌|密钥|秘钥|api[ -]?key|apikey|token|key|凭证
  |签名)[^。\n]{0,12}(?:无效|过期|错误|不可用|失效|已禁用|不正确|不存在|未提供|为空|缺失|已被删除|不合法|格式不对|验证失败|校验失败|鉴权失败)|(?:无效|错误|过期|未提供|缺少|非法
  |不正确)的?(?:令牌|密钥|秘钥|api[ -]?key|凭证|token|身份)|(?:鉴权|认证|身份验证|签名验证|登录)(?:失败|错误|过期|已过期|失效)|未登录|未授权|请(?:重新|先)?登录
  |身份验证失败|APIキー.{0,12}(?:無効|正しく)|認証(?:に失敗|エラー)|인증.{0,6}(?:실패|오류)|유효하지 않은 api|clave (?:de )?api.{0,16}(?:no válida
  |inválida)|signature (?:verification|validation) failed|signature[^.\n]{0,20}(?:invalid|mismatch|does not match)
`

/** The credential may not do this, or a gate in front of the provider lets nobody through. */
export const permission = pattern`
  permission[^.\n]{0,60}denied|permission_denied|(?:does|do|did)(?: not
  |n'?t) have (?:the )?(?:required |necessary |sufficient )?(?:permission|access|authori[sz]ation|privilege)
  |(?:not|isn'?t|aren'?t) (?:authori[sz]ed|allowed|permitted|eligible|entitled|whitelisted) (?:to|for|from)
  |no (?:permission|access)\b|lacks? (?:permission|access)|insufficient (?:permission|privilege|scope
  |authentication scope|access)|not have (?:permission|access)|caller does not have
  |access[^.\n]{0,12}(?:is |was |has been )?(?:denied|forbidden|restricted|not granted)|denied access
  |access to (?:the )?(?:model|resource)[^.\n]{0,40}(?:denied|not allowed)|has not been used in project
  |it is disabled\. enable|api (?:has not been|is not) enabled|requests? (?:from|to)[^\n]{0,160} are blocked
  |\b(?:referr?er|ip address|ip|origin|domain)s?\b[^.\n]{0,40}(?:not (?:allowed|permitted|authori[sz]ed
  |whitelisted)|blocked|restricted|not in)|must be verified|verify (?:your )?organi[sz]ation
  |verification (?:is )?required|only available (?:to|for) (?:paid|verified|enterprise|pro|plus)
  |requires? (?:a )?(?:paid|higher|pro|enterprise|upgraded?) (?:plan|tier|account|subscription)|not (?:available
  |included|supported) (?:on|in|by|with|under) (?:your|the|this) (?:current )?(?:\w{1,24} )?(?:plan|tier
  |subscription)|data policy|privacy settings|guardrail restrictions|leaked|just a moment|attention required
  |you have been blocked|enable javascript and cookies|checking (?:if the site|your browser)|verify you are human
  |cf-mitigated|captcha|web application firewall|access denied \| |error 10(?:05|06|09|10|15|20)\b|无权|权限不足
  |没有.{0,10}权限|无.{0,6}访问权限|未开通|禁止访问|访问被拒绝|拒绝访问|白名单|实名认证|未实名|不允许|被限制|没有开通|需要.{0,8}(?:会员|认证|开通|授权)|分组.{0,12}(?:已被弃用
  |无权|被禁用)|権限がありません|권한이 없|no tiene(?:s)? permiso|upgrade (?:to|your)[^.\n]{0,24}(?:paid|plan|tier
  |pro)\b[^.\n]{0,24}to (?:access|use)|blocked by[^.\n]{0,20}(?:firewall|waf\b|cloudflare|proxy|administrator
  |network)
`

/** A content policy refused the prompt or the result. */
export const content = pattern`
  safety[ _]system|safety[ _](?:filter|polic|guideline|violation|check|setting|reason|block)\w{0,12}|(?:due to|for
  |by|of) safety\b|safety_violations|content[ _-]?(?:policy|policies|moderation|filter(?:ed|ing|s)?
  |management policy|violation|safety|restriction|guidelines|security)\b|(?:usage|use|acceptable use|community
  |responsible ai|policy|terms|our|google's|prohibited use)[^.\n]{0,24}(?:polic(?:y|ies)|practices|guidelines
  |standards)[^.\n]{0,60}(?:violat|prohibit|reject|block|refus)|violat\w{0,12}[^.\n]{0,80}(?:polic(?:y|ies)
  |guidelines|terms|guardrails?|responsible ai|practices|standards)|(?:may|might|could|potentially|possibly
  |contains?|includes?|detected|including)[^.\n]{0,40}(?:sensitive|inappropriate|unsafe|harmful|prohibited
  |explicit|objectionable|illegal|offensive|disallowed)\b(?! (?:argument|character|syntax|value|operation|state
  |json))|(?:sensitive|inappropriate|unsafe|harmful|prohibited|nsfw|explicit|disallowed)[ _-](?:content|words?
  |information|material|image|prompt|text|topic|input|output)s?\b|\bnsfw\b|\bmoderation\b(?! (?:api|service
  |endpoint|server)s? (?:is |was |are )?(?:unavailable|down|failed|error|timed))|(?:prompt|input|image|content
  |request|output|response|generation|result|photo|picture)s? (?:was|were|is|has been|have been|got|may be
  |being)? ?(?:flagged|moderated|filtered|blocked (?:by|due|for|because)|refused (?:by|due|for|because))
  |(?:flagged|blocked|rejected|refused|filtered)[^.\n]{0,30}(?:moderation|safety|content|policy|guardrails?|filter
  |usage polic|unsafe|harmful|sensitive)|blocked (?:prompt|content|output)|(?:prompt|content|response|candidate
  |image)[ _](?:was |is |were )?blocked|block_?reason|prohibited_content|image_safety|\bcensor|(?:content|input
  |image|prompt|text|output) audit|(?:text|image|content) ?illegal|illegal (?:content|text|image|information)
  |content[^.\n]{0,12}\brisk\b|high[- ]risk|risk (?:not pass|control)|unsafe generation|prominent people
  |responsible ai|guardrail[^.\n]{0,40}(?:interven|block|reject|violat|trigger)
  |jailbreak (?:attempt )?(?:was )?detected|copyright(?:ed)?[^.\n]{0,30}(?:infring|violat|material|content
  |protect)|celebrit|real people|recitation|敏感(?:内容|信息|词|字|话题|图)|包含敏感|涉及敏感|疑似敏感|违规(?!则)|不合规|违禁|涉黄|色情|不安全(?:的)?内容
  |不适当|不当内容|不良信息|内容审核|审核(?:未通过|不通过|失败|拒绝|拦截)|未通过.{0,8}审核|安全审核|内容安全|安全策略|安全检测|安全系统|违反.{0,16}(?:政策|策略|规定|规则|法律|准则)
  |绿网|内容风险|被拦截|触发.{0,8}(?:风控|审查|过滤)|屏蔽词|コンテンツ(?:ポリシー|フィルタ)|안전 (?:정책|시스템)|콘텐츠 정책|política de contenido
`
