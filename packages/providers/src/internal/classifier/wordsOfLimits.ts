/**
 * Words about how much: money and quotas, the provider's capacity, our own rate, the size of a request.
 *
 * All patterns are linear: gaps are bounded and no repetition nests. Words that say nothing about the cause (retry,
 * temporarily, wait, contact support) stand in none of them.
 */
import { pattern } from "./pattern.js"

/** The balance, the credit or a quota that money buys is used up. */
export const balance = pattern`
  insufficient[ _](?:account |user |api |token |remaining |prepaid )?(?:balance|credits?|quota|funds?|points
  |tokens? quota)|(?:balance|credits?|quota|funds|points)[^.\n]{0,24}(?:insufficient|not enough|too low|exhausted
  |depleted|used up|run out|ran out|is empty|is negative|has expired|expired|is 0\b)|not (?:have )?(?:enough
  |sufficient) (?:account |user |api )?(?:credits?|balance|quota|funds?|points)|no (?:credits?|balance|quota
  |funds?)(?: left| remaining|\.|,|$)|doesn'?t have any credits|out of (?:extra )?(?:credits?|quota|funds|usage)
  |lack(?:s|ing)? (?:of )?(?:credits?|funds)|requires? more credits|can only afford
  |purchase (?:more |additional )?credits|add (?:more )?(?:credits?|funds)\b|buy (?:more )?credits|top.?up (?:your
  |the)|please (?:recharge|top)|need to (?:add|purchase|buy) (?:credits|a )|never purchased
  |billing (?:hard |soft )?limit|billing (?:is |account )?(?:not active|inactive|disabled|issue|problem)
  |not active[^.\n]{0,20}billing|payment (?:is )?required|(?:unpaid|overdue|past.due|outstanding) (?:balance|bill
  |invoice|payment)|overdue|arrears|arrearage|good standing|delinquen|(?:spend(?:ing)?|budget|usage|credit
  |cost) (?:cap|limit|quota)s?\b[^.\n]{0,40}(?:reach|exceed|hit|exhaust|met)|(?:reach|exceed
  |hit)\w{0,12}[^.\n]{0,40}(?:spend(?:ing)?|budget|usage|credit|cost|billing)[ _]?(?:cap|limit|quota)
  |budget (?:has been |was )?(?:exceeded|exhausted)|exceeded (?:your |the )?(?:monthly )?(?:budget|spend)|(?:free
  |trial) (?:trial |tier )?(?:quota|credits?|usage|plan|allowance)[^.\n]{0,40}(?:exhaust|used|expired|exceed|ended
  |over|reach)|exhausted (?:its|your|the)[^.\n]{0,30}(?:trial|quota|credit|free)|exhausted your capacity|(?:reach
  |hit|exhaust)\w{0,12}[^.\n]{0,40}quota limit|quota limit (?:has been |was |is )?(?:reached|exceeded)
  |remain_?quota ?= ?-?0|prepa(?:id|yment) credits|no resource package|token amount has been exhausted
  |usage_not_included|\b(?:key|total|credit|wallet) limit[^.\n]{0,20}(?:exceed|reach)|\blimit:\s?0(?![\d.])
  |余额(?:不足|已用|为0|不够|已耗尽)|欠费|(?:额度|配额|点数|积分|算力点|次数|流量包|资源包)[^。\n]{0,8}(?:不足|用尽|用完|耗尽|已用|不够|超限|过期|到期)|(?:不足|无
  |没有)(?:可用)?(?:余额|额度|配额|积分|点数)|请(?:先)?(?:及时)?充值|充值后|预扣费|已达到?.{0,10}(?:使用上限|额度上限|用量上限)|套餐.{0,8}(?:到期|用尽|用完|不足|过期)
  |账单|超出.{0,8}(?:预算|额度)|残高不足|クレジット.{0,6}不足|잔액.{0,4}부족|크레딧.{0,6}부족|saldo insuficiente
  |(?:free )?trial[^.\n]{0,20}(?:ended|expired|is over|exhausted)|payment method|no (?:remaining|available|more
  |usable) (?:credits?|balance|quota|funds)
`

/** The provider, or the relay, has no room. */
export const capacity = pattern`
  over-?load(?:ed|ing)?\b|\boverload|high (?:demand|load|traffic|volume|usage|request volume)|heavy (?:load
  |traffic|usage|demand)|(?:unusually|extremely|very) (?:high|busy)|peak (?:hours?|time|traffic|load)|\b(?:too
  |server|system|engine|service|model|currently|is|are|resources?|machine|cluster
  |all \w{1,24}) (?:is |are )?(?:currently |temporarily |too |very |all )?busy\b|\bbusy\b
  |experiencing (?:a )?(?:high|heavy|increased|unprecedented)|\bcapacity\b|capacity_exhausted
  |short(?:age)? of (?:gpu|compute|resources)|(?:compute|gpu|system|server
  |computing) resources?[^.\n]{0,40}(?:insufficient|exhausted|unavailable|tight|limited|not available)
  |(?:insufficient|not enough|no) (?:system |compute |gpu |server |computing |available ){1,4}resources?
  |resources? (?:is |are )?(?:temporarily )?(?:insufficient|unavailable|busy|tight)
  |resource exhausted[,.] please try again|error-code-429|(?:temporarily )?rate.?limited (?:by|upstream
  |at)[^.\n]{0,16}(?:provider|upstream)?|upstream[^.\n]{0,40}(?:rate.?limit|429|too many requests|saturated|busy)
  |shared (?:pool|quota|capacity)|flex tier|no (?:healthy|available|free|idle|live|ready
  |schedulable) (?:\w{1,24} )?(?:upstream|accounts?|workers?|instances?|backends?|nodes?|servers?|runners?|gpus?
  |replicas?|slots?|channels?|resources?|hosts?|endpoints? available|deployments?|machines?|clients?)\b
  |no (?:instances?|workers?|gpus?|accounts?|servers?|replicas?) (?:is |are |were )?(?:currently )?(?:available
  |free|left)|queue (?:is )?(?:full|too long)|(?:full|too many requests? in|long) (?:the )?queue
  |queue.{0,12}(?:limit|length) (?:reached|exceeded)|(?:model
  |server)[^.\n]{0,80}(?:is )?(?:currently |still )?(?:loading|warming up|starting|not ready|cold)|cold (?:boot
  |start)|throttled due to system|scaling up|负载[^。\n]{0,8}(?:饱和|过高|较高|过大|满|高)|过载|满载|超载|访问量[^。\n]{0,6}(?:过大|太大|较大
  |过高)|(?:服务|系统|服务器|模型|引擎|网络|当前|平台|上游|资源|通道)[^。\n]{0,8}(?:繁忙|忙碌|拥挤|拥堵|火爆)|(?:算力|资源|显卡|GPU|容量|库存)[^。\n]{0,6}(?:不足
  |紧张|已满|受限|耗尽|饱和)|高峰(?:期|时段)|排队(?:中|人数|已满)|队列(?:已)?满|请求量(?:过大|过高)|使用人数过多|暂无可用|没有可用的?(?:账号|账户|节点|资源|实例)|無法提供|混雑
  |過負荷|과부하|혼잡|sobrecargad
`

/** A limit by the day, week or month. */
export const longPeriod = pattern`
  (?:per|a|each|/) ?(?:day|week|month)\b|\bdaily\b|\bweekly\b|\bmonthly\b|per[_-]?(?:day|week|month)|\b(?:rpd|tpd
  |ipd)\b|requests_?per_?day|tokens_?per_?day|\b(?:5|five)[ -]hours?\b[^.\n]{0,30}limit|(?:usage|session) limit
  |hit your limit|每(?:日|天|周|月)|当(?:日|天|月)|今(?:日|天)|本(?:月|周)|(?:日|天|周|月)(?:请求|调用|使用)?(?:限额|上限|额度|配额)|24 ?小时|1日(?:の
  |あたり)|日次|일일|하루|diari[oa]|this (?:month|week)|for today|tomorrow
`

/** A limit by the minute or second, or of concurrent calls. */
export const rate = pattern`
  rate[ _-]?limit|too[ _-]?many[ _-]?(?:requests|tokens|concurrent|connections|api calls)|throttl
  |per[ _-]?(?:minute|second|min|sec)\b|\b(?:rpm|tpm|qps|rps|qpm|ipm|tps)\b|concurren(?:t|cy)[^.\n]{0,40}(?:limit
  |exceed|reach|max|too|request|quota|generation|job|task|high|usage)|(?:limit|maximum|max|reached
  |exceeded)[^.\n]{0,40}concurren|requests? (?:is |are )?too (?:frequent|fast|many|often)|(?:too
  |sending) (?:frequent|fast|quickly|many)|slow down|exceeded the provisioned throughput|request (?:frequency
  |limit|rate)|(?:request|call|token|usage|api) limit (?:reached|exceeded|hit)|(?:reached|exceeded
  |hit)[^.\n]{0,30}(?:request|call|token|rate|usage) limit|\b(?:accounts?|keys?|tokens?
  |credentials?)\b[^.\n]{0,30}(?:\blimited|cooling down|in cooldown)|was limited|limit_?exceeded|quota exceeded
  |exceeded[^.\n]{0,40}quota|cool-?down|频率|限流|速率|并发|(?:请求|调用|访问|操作)[^。\n]{0,6}(?:频繁|过快|太快|过多|太多|次数过)|限速|每(?:分钟|秒)
  |流控|请求限制|达到.{0,8}(?:限制|上限)|レート制限|リクエストが多すぎ|요청이 너무 많|속도 제한|demasiadas solicitudes
`

/** The request exceeds a limit of its own. */
export const tooLarge = pattern`
  request too large|requested [^.\n]{0,30}tokens?, [^.\n]{0,40}maximum|(?:context|prompt|input)[ _](?:length
  |window|size|token count|tokens?)[^.\n]{0,60}(?:exceed|too (?:long|large|many|big)|maximum allowed
  |over the (?:limit|maximum))|maximum (?:context|number of|prompt|input|allowed)[^.\n]{0,60}|(?:prompt|input
  |message|text|content|request|payload|image|file|body|entity
  |instruction)s? (?:is |are |was |size |length |body ){0,6}(?:too (?:long|large|big|many)|exceed)
  |exceeds? (?:the |its |this )?(?:model'?s? )?(?:maximum|max|context|limit of|size limit|token limit|allowed
  |upper limit)|too many (?:images|files|input tokens|input images|reference images)|reduce (?:the length
  |your (?:message|prompt|request|input|image))|(?:request|payload|entity|body) (?:entity )?too large|(?:超出|超过
  |超)(?:了)?(?:最大|模型)[^。\n]{0,20}(?:长度|上下文|token|限制)|(?:输入|文本|提示词|上下文|请求体|图片|文件)[^。\n时]{0,8}(?:过长|过大|太长|太大|超长|超出)
  |(?:大小|尺寸|长度|数量|体积)[^。\n]{0,6}(?:超过|超出|超限)|入力.{0,6}長すぎ
`
