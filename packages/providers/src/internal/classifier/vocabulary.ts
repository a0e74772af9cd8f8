/**
 * What the words of an error say about its cause, in order of weight: an earlier concept overrules a later one within
 * the same layer. English and Chinese in full, some Japanese, Korean and Spanish.
 *
 * All patterns are linear: gaps are bounded and no repetition nests. Words that say nothing about the cause (retry,
 * temporarily, wait, contact support) stand in none of them.
 */
import type { Tag } from "holdfast/GenerationError"

export interface Concept {
  readonly rule: string
  readonly tag: Tag
  /**
   * `hard` concepts are looked for in all layers before any `middle` one, and these before any `soft` one. The middle
   * ones name symptoms (a timeout, an empty answer): a 4xx status is a better witness than they are.
   */
  readonly weight: "hard" | "middle" | "soft"
  readonly pattern: RegExp
  /** The concept does not hold where this is said too. */
  readonly unless?: RegExp
}

const any = (...sources: ReadonlyArray<RegExp>): RegExp => new RegExp(sources.map((s) => `(?:${s.source})`).join("|"), "i")

const account = any(
  /\b(?:account|organi[sz]ation|project|resource|consumer|user|subscription|workspace|deployment)\b[^.\n]{0,90}\b(?:suspended|banned|deactivated|terminated|has been disabled|is disabled|temporarily blocked|has been blocked|locked|restricted|frozen)\b/,
  /\b(?:suspended|banned|deactivated|restricted) (?:account|user|organi[sz]ation|project)\b/,
  /(?:账号|账户|帐号|帐户|用户|组织|该用户).{0,12}(?:封禁|被封|禁用|冻结|停用|锁定|封停)/,
  /access (?:was |has been )?terminated/
)

const content = any(
  /safety[ _]system|safety[ _](?:filter|polic|guideline|violation|check|setting|reason|block)\w*|(?:due to|for|by|of) safety\b|safety_violations/,
  /content[ _-]?(?:policy|policies|moderation|filter(?:ed|ing|s)?|management policy|violation|safety|restriction|guidelines|security)\b/,
  /(?:usage|use|acceptable use|community|responsible ai|policy|terms|our|google's|prohibited use)[^.\n]{0,24}(?:polic(?:y|ies)|practices|guidelines|standards)[^.\n]{0,60}(?:violat|prohibit|reject|block|refus)/,
  /violat\w*[^.\n]{0,80}(?:polic(?:y|ies)|guidelines|terms|guardrails?|responsible ai|practices|standards)/,
  /(?:may|might|could|potentially|possibly|contains?|includes?|detected|including)[^.\n]{0,40}(?:sensitive|inappropriate|unsafe|harmful|prohibited|explicit|objectionable|illegal|offensive|disallowed)\b(?! (?:argument|character|syntax|value|operation|state|json))/,
  /(?:sensitive|inappropriate|unsafe|harmful|prohibited|nsfw|explicit|disallowed)[ _-](?:content|words?|information|material|image|prompt|text|topic|input|output)s?\b/,
  /\bnsfw\b|\bmoderation\b(?! (?:api|service|endpoint|server)s? (?:is |was |are )?(?:unavailable|down|failed|error|timed))/,
  /(?:prompt|input|image|content|request|output|response|generation|result|photo|picture)s? (?:was|were|is|has been|have been|got|may be|being)? ?(?:flagged|moderated|filtered|blocked (?:by|due|for|because)|refused (?:by|due|for|because))/,
  /(?:flagged|blocked|rejected|refused|filtered)[^.\n]{0,30}(?:moderation|safety|content|policy|guardrails?|filter|usage polic|unsafe|harmful|sensitive)/,
  /blocked (?:prompt|content|output)|(?:prompt|content|response|candidate|image)[ _](?:was |is |were )?blocked|block_?reason|prohibited_content|image_safety/,
  /\bcensor|(?:content|input|image|prompt|text|output) audit|(?:text|image|content) ?illegal|illegal (?:content|text|image|information)|content[^.\n]{0,12}\brisk\b|high[- ]risk|risk (?:not pass|control)|unsafe generation|prominent people|responsible ai|guardrail[^.\n]{0,40}(?:interven|block|reject|violat|trigger)|jailbreak (?:attempt )?(?:was )?detected|copyright(?:ed)?[^.\n]{0,30}(?:infring|violat|material|content|protect)|celebrit|real people|recitation/,
  /敏感(?:内容|信息|词|字|话题|图)|包含敏感|涉及敏感|疑似敏感|违规(?!则)|不合规|违禁|涉黄|色情|不安全(?:的)?内容|不适当|不当内容|不良信息|内容审核|审核(?:未通过|不通过|失败|拒绝|拦截)|未通过.{0,8}审核|安全审核|内容安全|安全策略|安全检测|安全系统|违反.{0,16}(?:政策|策略|规定|规则|法律|准则)|绿网|内容风险|被拦截|触发.{0,8}(?:风控|审查|过滤)|屏蔽词/,
  /コンテンツ(?:ポリシー|フィルタ)|안전 (?:정책|시스템)|콘텐츠 정책|política de contenido/
)

const balance = any(
  /insufficient[ _](?:account |user |api |token |remaining |prepaid )?(?:balance|credits?|quota|funds?|points|tokens? quota)|(?:balance|credits?|quota|funds|points)[^.\n]{0,24}(?:insufficient|not enough|too low|exhausted|depleted|used up|run out|ran out|is empty|is negative|has expired|expired|is 0\b)/,
  /not (?:have )?(?:enough|sufficient) (?:account |user |api )?(?:credits?|balance|quota|funds?|points)|no (?:credits?|balance|quota|funds?)(?: left| remaining|\.|,|$)|doesn'?t have any credits|out of (?:credits?|quota|funds|usage)|lack(?:s|ing)? (?:of )?(?:credits?|funds)/,
  /requires? more credits|can only afford|purchase (?:more |additional )?credits|add (?:more )?(?:credits?|funds)\b|buy (?:more )?credits|top.?up (?:your|the)|please (?:recharge|top)|need to (?:add|purchase|buy) (?:credits|a )|never purchased/,
  /billing (?:hard |soft )?limit|billing (?:is |account )?(?:not active|inactive|disabled|issue|problem)|not active[^.\n]{0,20}billing|payment (?:is )?required|(?:unpaid|overdue|past.due|outstanding) (?:balance|bill|invoice|payment)|overdue|arrears|arrearage|good standing|delinquen/,
  /(?:spend(?:ing)?|budget|usage|credit|cost) (?:cap|limit|quota)s?\b[^.\n]{0,40}(?:reach|exceed|hit|exhaust|met)|(?:reach|exceed|hit)\w*[^.\n]{0,40}(?:spend(?:ing)?|budget|usage|credit|cost|billing)[ _]?(?:cap|limit|quota)|budget (?:has been |was )?(?:exceeded|exhausted)|exceeded (?:your |the )?(?:monthly )?(?:budget|spend)/,
  /(?:free|trial) (?:trial |tier )?(?:quota|credits?|usage|plan|allowance)[^.\n]{0,40}(?:exhaust|used|expired|exceed|ended|over|reach)|exhausted (?:its|your|the)[^.\n]{0,30}(?:trial|quota|credit|free)|exhausted your capacity|remain_?quota ?= ?-?0|prepa(?:id|yment) credits|no resource package|token amount has been exhausted|usage_not_included|\b(?:key|total|credit|wallet) limit[^.\n]{0,20}(?:exceed|reach)|\blimit:\s?0(?![\d.])/,
  /余额(?:不足|已用|为0|不够|已耗尽)|欠费|(?:额度|配额|点数|积分|算力点|次数|流量包|资源包)[^。\n]{0,8}(?:不足|用尽|用完|耗尽|已用|不够|超限|过期|到期)|(?:不足|无|没有)(?:可用)?(?:余额|额度|配额|积分|点数)|请(?:先)?(?:及时)?充值|充值后|预扣费|已达到?.{0,10}(?:使用上限|额度上限|用量上限)|套餐.{0,8}(?:到期|用尽|用完|不足|过期)|账单|超出.{0,8}(?:预算|额度)|残高不足|クレジット.{0,6}不足|잔액.{0,4}부족|크레딧.{0,6}부족|saldo insuficiente/
)

const missingModel = any(
  /\b(?:model|deployment|endpoint|engine|resource|publisher model)s?\b[^\n]{0,160}?(?:\bnot (?:be )?found\b|does(?:n'?t| not) exist|not exist\b|is not a valid|not recogni[sz]ed|is unknown|not (?:currently )?available (?:for|in|on|to|at)|decommissioned|no longer (?:available|supported|exists)|has been (?:retired|removed|shut ?down|deprecated|discontinued|sunset)|is deprecated|(?:is )?not supported(?: for| by| in| on|\.|,|$| when)|was retired|not enabled for|is not available\b|is not offered|has no (?:available )?(?:provider|endpoint))/,
  /(?:unknown|invalid|incorrect|unsupported|unrecogni[sz]ed|no such|non-?existent|wrong) (?:or unsupported )?model\b|not a valid model|not supported model|cannot find model|could not find model|no model named|not found for api version|no endpoints found|no (?:allowed )?providers? (?:are )?(?:available|found|supports?) (?:for|the) |no healthy deployments? for|only imagen models/,
  /\bnot found[^.\n]{0,20}\bmodel\b|model_?not_?found|requested entity was not found/,
  /(?:模型|接入点|推理点).{0,60}(?:不存在|未找到|不支持|已下线|已停用|不可用|无效|未开放|未配置|未上线)|(?:不存在|未知|无效|不支持|找不到|没有找到|无此)[^,。\n]{0,5}模型|无可用渠道|没有可用的?渠道|渠道不存在|モデル.{0,30}(?:見つかりません|存在しません)|모델.{0,30}(?:찾을 수 없|존재하지)|modelo .{0,60}no (?:existe|encontrado)/
)

const credential = any(
  /api[ _-]?keys? (?:is |was |are |has been |you provided |provided )?(?:not (?:valid|found|correct|recogni[sz]ed|provided|set|configured|supported)|invalid|incorrect|expired|missing|required|revoked|wrong|malformed|disabled|deleted|leaked|unauthorized|does not exist|reported)/,
  /(?:invalid|incorrect|missing|expired|wrong|malformed|no|bad|unknown|illegal|unauthorized|valid|revoked|not provide an?|empty|your) (?:or (?:missing|expired|invalid|disabled) )?(?:x-)?(?:openai |gemini |google |anthropic |azure |provider )?api[ _-]?key(?! (?:is|was|has) (?:valid|ok))(?:[^.\n]{0,30}(?:provided|invalid|expired|revoked|passed|required|missing|supplied|specified|found|leaked|format)|[.,:!"'\s]|$)(?<!your api key[ .,:"']?)/,
  /(?:invalid|incorrect|missing|expired|bad|malformed|no) (?:authentication|auth|authorization|bearer|access|oauth2?|id|refresh|security|jwt|api|session)?[ -]?(?:credentials?|token(?!s| count| limit|_count)|signature|authorization header|bearer)\b/,
  /(?:access|auth|oauth|bearer|security|session|refresh|id|authentication|api|jwt) ?token[^.\n]{0,40}(?:invalid|expired|revoked|missing|malformed|incorrect|not valid|has been invalidated)|\btoken (?:is |has |was |has been )?(?:expired|invalid|revoked|malformed)/,
  /(?:invalid|missing|wrong) subscription key|authentication (?:failed|failure|error|fails|required|is required|credentials|parameter)|failed to authenticate|unauthenticated|not authenticated|could not (?:resolve|determine) (?:authentication|credentials?)|could not load the default credentials|default credentials were not found|unable to (?:locate|load) credentials|credentials? (?:were |was |is |are )?(?:missing|invalid|expired|not found|rejected)|reauthenticat|re-?authenticate|please (?:log ?in|sign ?in|login)|login (?:again|required)|not logged in|must be (?:a member of an organi|authenticated|logged in)|user not found|invalid_grant|keys are not supported by this api|expected oauth ?2|missing authorization|no auth(?:entication|orization)? (?:header|credentials|provided)|no cookie auth/,
  /(?:令牌|密钥|秘钥|api[ -]?key|apikey|token|key|凭证|签名)[^。\n]{0,12}(?:无效|过期|错误|不可用|失效|已禁用|不正确|不存在|未提供|为空|缺失|已被删除|不合法|格式不对|验证失败|校验失败|鉴权失败)|(?:无效|错误|过期|未提供|缺少|非法|不正确)的?(?:令牌|密钥|秘钥|api[ -]?key|凭证|token|身份)|(?:鉴权|认证|身份验证|签名验证|登录)(?:失败|错误|过期|已过期|失效)|未登录|未授权|请(?:重新)?登录|身份验证失败|APIキー.{0,12}(?:無効|正しく)|認証(?:に失敗|エラー)|인증.{0,6}(?:실패|오류)|유효하지 않은 api|clave (?:de )?api.{0,16}(?:no válida|inválida)/
)

const region = any(
  /(?:location|country|region|territory|countries|regions)[^.\n]{0,40}(?:not (?:supported|available|allowed)|unsupported|unavailable|restricted)|not (?:available|supported|accessible) in (?:your|this) (?:current )?(?:country|region|location|area)|unsupported (?:country|region|location)|geo-?(?:blocked|restricted)|(?:地区|地域|区域|国家|所在地)[^。\n]{0,12}(?:不支持|不可用|受限|限制)|不支持.{0,6}(?:地区|国家|区域)/
)

const permission = any(
  /permission[^.\n]{0,60}denied|permission_denied|(?:does|do|did)(?: not|n'?t) have (?:the )?(?:required |necessary |sufficient )?(?:permission|access|authori[sz]ation|privilege)|(?:not|isn'?t|aren'?t) (?:authori[sz]ed|allowed|permitted|eligible|entitled|whitelisted) (?:to|for|from)|no (?:permission|access)\b|lacks? (?:permission|access)|insufficient (?:permission|privilege|scope|authentication scope|access)|not have (?:permission|access)|caller does not have|access[^.\n]{0,12}(?:is |was |has been )?(?:denied|forbidden|restricted|not granted)|denied access|access to (?:the )?(?:model|resource)[^.\n]{0,40}(?:denied|not allowed)/,
  /has not been used in project|it is disabled\. enable|api (?:has not been|is not) enabled|requests? (?:from|to)[^\n]{0,160} are blocked|\b(?:referr?er|ip address|ip|origin|domain)s?\b[^.\n]{0,40}(?:not (?:allowed|permitted|authori[sz]ed|whitelisted)|blocked|restricted|not in)|must be verified|verify (?:your )?organi[sz]ation|verification (?:is )?required|only available (?:to|for) (?:paid|verified|enterprise|pro|plus)|requires? (?:a )?(?:paid|higher|pro|enterprise|upgraded?) (?:plan|tier|account|subscription)|not (?:available|included|supported) (?:on|in|by|with|under) (?:your|the|this) (?:current )?(?:\w+ )?(?:plan|tier|subscription)|data policy|privacy settings|guardrail restrictions|leaked/,
  /just a moment|attention required|you have been blocked|enable javascript and cookies|checking (?:if the site|your browser)|verify you are human|cf-mitigated|captcha|web application firewall|request blocked|access denied \| |error 10(?:05|06|09|10|15|20)\b/,
  /无权|权限不足|没有.{0,10}权限|无.{0,6}访问权限|未开通|禁止访问|访问被拒绝|拒绝访问|白名单|实名认证|未实名|不允许|被限制|没有开通|需要.{0,8}(?:会员|认证|开通|授权)|分组.{0,12}(?:已被弃用|无权|被禁用)|権限がありません|권한이 없|no tiene(?:s)? permiso/
)

const tooLarge = any(
  /request too large|requested [^.\n]{0,30}tokens?, [^.\n]{0,40}maximum|(?:context|prompt|input)[ _](?:length|window|size|token count|tokens?)[^.\n]{0,60}(?:exceed|too (?:long|large|many|big)|maximum allowed|over the (?:limit|maximum))|maximum (?:context|number of|prompt|input|allowed)[^.\n]{0,60}|(?:prompt|input|message|text|content|request|payload|image|file|body|entity|instruction)s? (?:is |are |was |size |length |body )*(?:too (?:long|large|big|many)|exceed)|exceeds? (?:the |its |this )?(?:model'?s? )?(?:maximum|max|context|limit of|size limit|token limit|allowed|upper limit)|too many (?:images|files|input tokens|input images|reference images)|reduce (?:the length|your (?:message|prompt|request|input|image))|(?:request|payload|entity|body) (?:entity )?too large|(?:超出|超过|超)(?:了)?(?:最大|模型)[^。\n]{0,20}(?:长度|上下文|token|限制)|(?:输入|文本|提示词|上下文|请求体|图片|文件)[^。\n时]{0,8}(?:过长|过大|太长|太大|超长|超出)|入力.{0,6}長すぎ/
)

const capacity = any(
  /over-?load(?:ed|ing)?\b|\boverload|high (?:demand|load|traffic|volume|usage|request volume)|heavy (?:load|traffic|usage|demand)|(?:unusually|extremely|very) (?:high|busy)|peak (?:hours?|time|traffic|load)|\b(?:too|server|system|engine|service|model|currently|is|are|resources?|machine|cluster|all \w+) (?:is |are )?(?:currently |temporarily |too |very |all )?busy\b|busy[^.\n]{0,20}(?:try|retry|later)|experiencing (?:a )?(?:high|heavy|increased|unprecedented)/,
  /(?:no|not enough|insufficient|limited|lacks?|out of|at|over|exceeded|without|maximum|full|reached|available|current|gpu|compute|system|model|server|shared|upstream|provider|service|global|temporary|temporarily|of) (?:\w+ ){0,2}capacity\b|capacity (?:\w+ ){0,2}(?:exceeded|exhausted|constraints?|limit|limits|limitations?|issue|reached|full|unavailable|shortage|is |error|not available|available|for)|at full capacity|capacity_exhausted|short(?:age)? of (?:gpu|compute|resources)|(?:compute|gpu|system|server|computing) resources?[^.\n]{0,40}(?:insufficient|exhausted|unavailable|tight|limited|not available)|insufficient (?:system |compute |gpu |server |computing )resources?|resources? (?:is |are )?(?:temporarily )?(?:insufficient|unavailable|busy|tight)/,
  /resource exhausted[,.] please try again|error-code-429|(?:temporarily )?rate.?limited (?:by|upstream|at)[^.\n]{0,16}(?:provider|upstream)?|upstream[^.\n]{0,40}(?:rate.?limit|429|too many requests|saturated|busy)|shared (?:pool|quota|capacity)|flex tier|no (?:healthy|available|free|idle|live|ready|schedulable) (?:\w+ )?(?:upstream|accounts?|workers?|instances?|backends?|nodes?|servers?|runners?|gpus?|replicas?|slots?|channels?|resources?|hosts?|endpoints? available|deployments?|machines?|clients?)\b|no (?:instances?|workers?|gpus?|accounts?|servers?|replicas?) (?:is |are |were )?(?:currently )?(?:available|free|left)|queue (?:is )?(?:full|too long)|(?:full|too many requests? in|long) (?:the )?queue|queue.{0,12}(?:limit|length) (?:reached|exceeded)|(?:model|server)[^.\n]{0,80}(?:is )?(?:currently |still )?(?:loading|warming up|starting|not ready|cold)|cold (?:boot|start)|throttled due to system|scaling up/,
  /负载[^。\n]{0,8}(?:饱和|过高|较高|过大|满|高)|过载|满载|超载|访问量[^。\n]{0,6}(?:过大|太大|较大|过高)|(?:服务|系统|服务器|模型|引擎|网络|当前|平台|上游|资源|通道)[^。\n]{0,8}(?:繁忙|忙碌|拥挤|拥堵|火爆)|(?:算力|资源|显卡|GPU|容量|库存)[^。\n]{0,6}(?:不足|紧张|已满|受限|耗尽|饱和)|高峰(?:期|时段)|排队(?:中|人数|已满)|队列(?:已)?满|请求量(?:过大|过高)|使用人数过多|暂无可用|没有可用的?(?:账号|账户|节点|资源|实例)|無法提供|混雑|過負荷|과부하|혼잡|sobrecargad/
)

const longPeriod = any(
  /(?:per|a|each|\/) ?(?:day|week|month)\b|\bdaily\b|\bweekly\b|\bmonthly\b|per[_-]?(?:day|week|month)|\b(?:rpd|tpd|ipd)\b|requests_?per_?day|tokens_?per_?day|\b(?:5|five)[ -]hours?\b[^.\n]{0,30}limit|free-models-per-day|(?:usage|session) limit|hit your limit|每(?:日|天|周|月)|当(?:日|天|月)|今(?:日|天)|本(?:月|周)|(?:日|天|周|月)(?:请求|调用|使用)?(?:限额|上限|额度|配额)|24 ?小时|1日(?:の|あたり)|日次|일일|하루|diari[oa]/
)

const rate = any(
  /rate[ _-]?limit|too[ _-]?many[ _-]?(?:requests|tokens|concurrent|connections|api calls)|throttl|per[ _-]?(?:minute|second|min|sec)\b|\b(?:rpm|tpm|qps|rps|qpm|ipm|tps)\b|concurren(?:t|cy)[^.\n]{0,40}(?:limit|exceed|reach|max|too|request|quota|generation|job|task|high|usage)|(?:limit|maximum|max|reached|exceeded)[^.\n]{0,40}concurren|requests? (?:is |are )?too (?:frequent|fast|many|often)|(?:too|sending) (?:frequent|fast|quickly|many)|slow down|exceeded the provisioned throughput|request (?:frequency|limit|rate)|(?:request|call|token|usage|api) limit (?:reached|exceeded|hit)|(?:reached|exceeded|hit)[^.\n]{0,30}(?:request|call|token|rate|usage) limit|(?:accounts?|keys?|tokens?|credentials?)[^.\n]{0,30}(?:limited|cooling down|in cooldown)|was limited|limit_?exceeded|quota exceeded|exceeded[^.\n]{0,40}quota|cool-?down/,
  /频率|限流|速率|并发|(?:请求|调用|访问|操作)[^。\n]{0,6}(?:频繁|过快|太快|过多|太多|次数过)|限速|每(?:分钟|秒)|流控|请求限制|达到.{0,8}(?:限制|上限)|レート制限|リクエストが多すぎ|요청이 너무 많|속도 제한|demasiadas solicitudes/
)

const timeout = any(
  /time[ds]?[ -]?out\b|timeout|deadline[ _]?(?:exceeded|expired)|deadline of [\d.]+ ?s exceeded|context deadline|took too long|operation was aborted|request was aborted|signal (?:is|was) aborted|aborterror|etimedout|超时|超過時間|タイムアウト|시간 ?초과|tiempo de espera/
)

const broken = any(
  /unexpected (?:token|end of (?:json|data|input|file)|non-?whitespace|character|identifier|number|string) |unexpected end of|is not valid json|not (?:a )?valid json|invalid json (?:response|output|from|in)|json ?(?:decode|parse|parsing|syntax) ?(?:error|exception|failed)|jsondecodeerror|expecting value: line|failed to (?:parse|decode|deserialize|process|unmarshal)[^.\n]{0,30}(?:response|chunk|json|body|stream|sse|result|event|answer|reply)|(?:error|failed|failure|unable|cannot|could not) (?:to )?(?:parsing|decoding|pars|decod|unmarshal|deserializ)\w*|invalid character '|looking for beginning of value|cannot unmarshal|cannot deserialize|incomplete json|malformed (?:response|json|chunk|data|reply|answer)|(?:invalid|unexpected|unrecogni[sz]ed|bad|unsupported) (?:response|reply) (?:format|body|from|structure|shape|type|data|object|schema)|content-?type[^.\n]{0,40}(?:text\/html|unexpected|mismatch|unsupported)|expected (?:json|event-stream|application\/json)|no (?:valid )?json (?:object )?(?:found|could be decoded)|syntaxerror|type validation failed|validation error[s]? for (?:\w+response|chatcompletion)|invalid (?:base64|image data in response|image bytes)|incorrect padding|cannot identify image file|解析.{0,8}(?:失败|错误|响应)|(?:响应|返回)[^。\n]{0,8}(?:格式|解析)[^。\n]{0,8}(?:错误|失败|异常)|无法解析/
)

const empty = any(
  /no (?:base64 )?(?:images?|picture|media|candidates?|content|output|choices|parts|data|text|result)s?\b[^.\n]{0,40}(?:data |were |was |is |are |url |been )*(?:found|returned|generated|produced|received|in (?:the )?(?:response|result|answer|output|reply)|available in|extracted|present|from (?:the )?(?:model|api|gemini|provider|upstream))|(?:response|result|answer|output|reply|completion|content|choices|candidates|model|stream|upstream|api|gemini|data)[^.\n]{0,40}(?:(?:was|is|are|were|returned|contains?|contained|has|had|with|did not|does not|didn't|doesn't|without|returned an|an)? ?(?:empty|no (?:image|content|output|text|candidates|choices|parts|data|valid)|not (?:contain|include|return|produce|generate)|contain|blank))(?: |\b)(?:an? |any )?|empty (?:response|content|result|output|answer|reply|completion|message|stream|image|candidates|body|text|string)|returned nothing|without (?:an? |any )?(?:image|content|output|candidates|valid content)|\b(?:0|zero) images?\b|before valid content|content is insufficient|image (?:data )?(?:is |was )?missing|failed to (?:extract|find|get|obtain|retrieve) (?:the |an? |any )?(?:generated )?images?|did not (?:return|generate|produce|include|contain)|no images? (?:was|were)|no_image|noimagegenerated|no image|max_tokens|model_length/,
  /(?:未|没有|无|沒有)(?:能)?(?:返回|找到|生成|获取到|包含|提取到|收到|检测到|得到|输出|获得|解析出)(?:到)?[^。\n]{0,12}(?:图片|图像|内容|结果|数据|图|image|响应)|(?:图片|图像|内容|结果|响应|返回|回复|输出)(?:数据|内容|结果)?(?:为|是|中没有|不包含|中未找到)(?:空|图片|图像)?|空(?:回复|响应|内容|结果|返回)|返回(?:了)?空|未返回|生成(?:结果)?为空|画像が(?:生成|返)|이미지가 (?:생성|반환)되지/
)

const certificate = any(
  /self[- ]signed|certificate (?:verify failed|has expired|is not yet valid|is not trusted|signed by unknown|chain|required|unknown)|unable to (?:verify the first|get (?:local )?issuer) |certificate_verify_failed|unknown authority|x509:|hostname\/ip does not match|err_tls_cert_altname_invalid|depth_zero_self_signed|cert_has_expired|unable_to_verify_leaf|self_signed_cert|err_cert_|net::err_cert|sslcertverificationerror|invalid peer certificate|pkix path|trust anchor|证书(?:错误|无效|过期|验证失败)|invalid url|only absolute urls|unsupported protocol|failed to parse url|err_invalid_url|no scheme supplied|missingschema|unsupported url scheme|relative url without a base|unsupported uri/
)

const network = any(
  /fetch failed|failed to fetch|load failed|networkerror|network ?(?:error|failure|problem|issue|changed|is unreachable|connection lost|request failed)|net::err|connection (?:was |is |has been |to [^\n]{0,80} )?(?:reset|refused|closed|aborted|lost|error|broken|dropped|terminated|interrupted|failed|forcibly)|(?:error|failed|unable|could not|cannot|can'?t)[^.\n]{0,30} (?:establish|open|connect|connecting|reach)\b|cannot connect|connect error|connecterror|socket (?:hang up|error|closed|disconnected)|socket connection|other side closed|econn|epipe|eai_again|enotfound|ehostunreach|enetunreach|enetdown|eproto|getaddrinfo|name (?:or service not known|resolution)|no such host|nodename nor servname|dns (?:error|lookup|resolution)|could not resolve host|temporary failure in name|unknownhost|unresolvedaddress|nxdomain|no route to host|host is down|broken pipe|premature close|prematurely|(?:unexpected|early) (?:eof|end of (?:stream|file))|\beof\b|server disconnected|payload is not completed|remote (?:end closed|protocol ?error|disconnected)|peer closed|incomplete (?:chunked )?read|incompleteread|chunkedencodingerror|empty reply from server|failed to respond|host lookup|xmlhttprequest error|response ended|stream[^.\n]{0,30}(?:closed|disconnected|interrupted|terminated|ended unexpectedly|was cut|reset|aborted|error|broken|incomplete)|upstream (?:connect error|prematurely|disconnected|connection)|do request failed|max retries exceeded|(?:tls|ssl)[^.\n]{0,30}(?:handshake|alert|error|protocol|wrong version|disconnect|eof|record|connect)|handshake (?:failed|failure|timeout)|wrong version number|bad record mac|und_err|err_stream|err_ssl|err_http2|err_network|goaway|rst_stream|internal_error; received from peer|http2 (?:error|stream)|error sending request|error (?:reading|decoding) (?:response )?(?:body|a body)|body (?:stream )?(?:already )?terminated|terminated$|request to [^\n]{0,120} ?failed, reason|failed, reason:|dial tcp|read tcp|write tcp|network socket|proxyerror|tunneling socket|proxy (?:error|connection|authentication)|connection_error|curl: \((?:6|7|16|18|35|52|55|56|92)\)|curl error|i\/o error|ioexception|socketexception|网络(?:错误|异常|连接失败|问题|波动|中断|请求失败|故障)|连接(?:失败|被重置|中断|断开|错误|异常|关闭|已关闭|被拒绝)|无法连接|断开连接|请求上游.{0,8}失败|域名解析|ネットワークエラー|接続(?:エラー|に失敗)|네트워크 오류|error de red/
)

const media = any(
  /(?:fail\w*|unable|error|could not|cannot|can'?t|not)[^.\n]{0,20} (?:download|downloading|fetch|fetching|retriev\w+|access|accessing|open|load|loading|process|processing|decode|read|reading)\b[^.\n]{0,50}(?:image|file|url|media|photo|picture|input)|(?:image|file|media)[^.\n]{0,30}(?:download|fetch)[^.\n]{0,20}(?:fail|error|timed? ?out|timeout)|provided image is not valid|(?:图片|文件|图像)(?:链接|地址|url)?(?:下载|获取|读取|解码|处理)(?:失败|超时|错误)|无法(?:下载|获取|读取|访问).{0,8}(?:图片|文件|链接)/
)

const request = any(
  /invalid (?:argument|request|parameter|value|input|field|json payload|type|format|image|mime|size|aspect|schema|role|content|url|base64|prompt|option|json|body|payload)|(?:missing|required|unknown|unsupported|unrecogni[sz]ed|unexpected|extra|invalid|illegal|bad) (?:required )?(?:request )?(?:parameter|field|argument|property|name|key|body|header|value|option|keyword|role|media type|content type|mime|format|aspect|file|image)s?|(?:parameter|field|argument|property|value|prompt|size|image|messages|input|mime ?type|aspect[ _]?ratio|format|modality|modalities|instruction|quality|resolution|reference)s?\b[^.\n]{0,60}(?:is |are |was |be )?(?:required|missing|invalid|not (?:valid|supported|allowed|permitted|enabled|provided|specified)|unsupported|must be|must not|cannot be|should be|out of range|not one of|unknown|empty)|must (?:be|contain|have|provide|include|specify) (?:one of|a |an |at least|either|between|less|greater|set|present|non)|does not support|not support(?:ed)?|cannot find field|proto field|field required|input should be|extra inputs are not permitted|malformed (?:request|input|json body)|could not parse (?:your|the) (?:json|request)|bad request|unprocessable|validation (?:error|failed|exception)|thought_signature|failed precondition|expected [^.\n]{0,40}(?:but )?(?:got|received)|(?:is|are) not (?:a )?(?:valid|supported|allowed)|unable to process input|please (?:use|provide|specify|check (?:your|the) (?:parameter|request|input))|参数(?:错误|有误|无效|异常|不合法|校验|缺失|不正确|非法|不能为空)|缺少(?:必要|必填)?(?:的)?参数|请求(?:参数|格式|体)(?:错误|有误|无效|不合法|不正确)|不能为空|格式(?:错误|不正确|不支持)|不支持(?:的)?(?:参数|格式|尺寸|操作|图片|该|此)|无效的?(?:参数|请求|图片|格式|尺寸|值)|必须(?:是|为|在)|取值范围|パラメータ.{0,8}(?:不正|無効)|잘못된 요청|parámetro .{0,20}(?:inválido|no válido)/
)

const fault = any(
  /internal (?:server )?(?:error|failure|exception)|server (?:had|experienced|encountered) an? (?:\w+ )?error|(?:an?|the|unexpected|unknown|some|encountered an?) (?:unexpected |internal |unknown |server |upstream )*error (?:has )?(?:occurred|while|when|during)|error occurred while processing|something went wrong|bad gateway|upstream (?:error|request failed|service error|server error|returned|response)|unhandled|(?:server|service|upstream|provider|backend|system) (?:error|failure|exception|crash\w*)|error in model serving|model serving error|prediction (?:failed|interrupted)|inference (?:error|failed)|out of memory|cuda|worker (?:died|crashed|lost)|bad_response_status_code|backend_?error|operation was cancell?ed|系统(?:错误|异常|内部错误|故障|出错)|服务(?:器)?(?:错误|异常|内部错误|出错|故障)|内部(?:错误|异常|服务错误)|未知(?:错误|异常)|请求异常|上游(?:服务)?(?:错误|异常|报错|返回错误|失败)|サーバーエラー|内部エラー|서버 오류|내부 오류|error interno/
)

const unavailable = any(
  /(?:service|server|model|provider|api|endpoint|gateway|backend|upstream|engine)[^.\n]{0,24}(?:unavailable|not available|down|offline|maintenance|out of service|disrupt)|temporarily (?:unavailable|down|disabled|out of service|offline)|under maintenance|服务(?:器)?(?:暂时)?(?:不可用|暂停|维护)|(?:暂时|暂)不可用|维护中|系统维护|メンテナンス|점검/
)

/** The concepts, most telling first. */
export const concepts: ReadonlyArray<Concept> = [
  { rule: "account", tag: "Forbidden", weight: "hard", pattern: account, unless: /billing|unpaid|overdue|arrear|欠费|余额|credits?\b|payment/i },
  { rule: "balance", tag: "QuotaExhausted", weight: "hard", pattern: balance },
  { rule: "region", tag: "Forbidden", weight: "hard", pattern: region, unless: /\bmodel [`'"]?\S{3,80} (?:is )?not (?:available|supported) in/i },
  { rule: "model", tag: "ModelNotFound", weight: "hard", pattern: missingModel },
  { rule: "credential", tag: "Unauthorized", weight: "hard", pattern: credential },
  { rule: "permission", tag: "Forbidden", weight: "hard", pattern: permission, unless: /has exceeded|invalid (?:api )?key/i },
  { rule: "content", tag: "ContentBlocked", weight: "hard", pattern: content },
  { rule: "certificate", tag: "InvalidRequest", weight: "hard", pattern: certificate },
  { rule: "capacity", tag: "Overloaded", weight: "hard", pattern: capacity },
  { rule: "too-large", tag: "InvalidRequest", weight: "hard", pattern: tooLarge, unless: /please wait before trying/i },
  { rule: "long-period", tag: "QuotaExhausted", weight: "hard", pattern: longPeriod, unless: /per[ _-]?(?:minute|second)(?![^\n]*per[ _-]?day)/i },
  { rule: "rate", tag: "RateLimited", weight: "hard", pattern: rate },
  { rule: "malformed", tag: "Malformed", weight: "middle", pattern: broken },
  { rule: "timeout", tag: "Timeout", weight: "middle", pattern: timeout },
  { rule: "empty", tag: "EmptyResult", weight: "middle", pattern: empty, unless: /empty reply from server/i },
  { rule: "network", tag: "Transient", weight: "middle", pattern: network },
  { rule: "request", tag: "InvalidRequest", weight: "soft", pattern: request },
  { rule: "fault", tag: "Transient", weight: "soft", pattern: fault },
  { rule: "unavailable", tag: "Overloaded", weight: "soft", pattern: unavailable }
]

/** A file that the provider could not get is a fault of the request, not of the network; told by a 4xx status. */
export const inputMedia: RegExp = media

/** Language of quotas: the violated limit's period decides. */
export const quotaLanguage: RegExp = /quota|配额|额度/i
