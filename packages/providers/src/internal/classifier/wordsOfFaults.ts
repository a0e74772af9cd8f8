/**
 * Words about what went wrong: waits, connections, unreadable or empty answers, the request, the server.
 *
 * All patterns are linear: gaps are bounded and no repetition nests. Words that say nothing about the cause (retry,
 * temporarily, wait, contact support) stand in none of them.
 */
import { pattern } from "./pattern.js"

/** A wait ran out. */
export const timeout = pattern`
  time[ds]?[ _-]?out\b|timeout|deadline[ _]?(?:exceeded|expired)|deadline of [\d.]+ ?s exceeded|context deadline
  |took too long|operation was aborted|request was aborted|signal (?:is|was) aborted|aborterror|etimedout|超时|超過時間
  |タイムアウト|시간 ?초과|tiempo de espera
`

/** The far side cannot be trusted, or its address is wrong. */
export const certificate = pattern`
  self[- ]signed|certificate (?:verify failed|has expired|is not yet valid|is not trusted|signed by unknown|chain
  |required|unknown)|unable to (?:verify the first|get (?:local )?issuer) |certificate_verify_failed
  |unknown authority|x509:|hostname/ip does not match|err_tls_cert_altname_invalid|depth_zero_self_signed
  |cert_has_expired|unable_to_verify_leaf|self_signed_cert|err_cert_|net::err_cert|sslcertverificationerror
  |invalid peer certificate|pkix path|trust anchor|证书(?:错误|无效|过期|验证失败)|invalid url|only absolute urls
  |unsupported protocol|failed to parse url|err_invalid_url|no scheme supplied|missingschema
  |unsupported url scheme|relative url without a base|unsupported uri
`

/** The connection failed. */
export const network = pattern`
  fetch failed|failed to fetch|load failed|networkerror|network ?(?:error|failure|problem|issue|changed
  |is unreachable|connection lost|request failed)|net::err|(?:closed|reset|dropped|lost
  |terminated) (?:the )?connection|connection (?:was |is |has been |to [^\n]{0,80} )?(?:reset|refused|closed
  |aborted|lost|error|broken|dropped|terminated|interrupted|failed|forcibly)|(?:error|failed|unable|could not
  |cannot|can'?t)[^.\n]{0,30} (?:establish|open|connect|connecting|reach)\b|cannot connect|connect error
  |connecterror|socket (?:hang up|error|closed|disconnected)|socket connection|other side closed|econn|epipe
  |eai_again|enotfound|ehostunreach|enetunreach|enetdown|eproto|getaddrinfo|name (?:or service not known
  |resolution)|no such host|nodename nor servname|dns (?:error|lookup|resolution)|could not resolve host
  |temporary failure in name|unknownhost|unresolvedaddress|nxdomain|no route to host|host is down|broken pipe
  |premature close|prematurely|(?:unexpected|early) (?:eof|end of (?:stream|file))|\beof(?:exception|error)?\b
  |endofstream|\b(?:read|write|connect|protocol)error\b|server disconnected|payload is not completed
  |remote (?:end closed|protocol ?error|disconnected)|peer closed|incomplete (?:chunked )?read|incompleteread
  |chunkedencodingerror|empty reply from server|failed to respond|host lookup|xmlhttprequest error|response ended
  |\bstream[^.\n]{0,30}(?:closed|disconnected|interrupted|terminated|ended unexpectedly|was cut|reset|aborted
  |error|broken|incomplete)|upstream (?:connect error|prematurely|disconnected|connection)|do request failed
  |max retries exceeded|(?:tls|ssl)[^.\n]{0,30}(?:handshake|alert|error|protocol|wrong version|disconnect|eof
  |record|connect)|handshake (?:failed|failure|timeout)|wrong version number|bad record mac|und_err|err_stream
  |err_ssl|err_http2|err_network|goaway|rst_stream|internal_error; received from peer|http2 (?:error|stream)
  |error sending request|error (?:reading|decoding) (?:response )?(?:body|a body)
  |body (?:stream )?(?:already )?terminated|terminated$|request to [^\n]{0,120} ?failed, reason|failed, reason:
  |dial tcp|read tcp|write tcp|network socket|proxyerror|tunneling socket|proxy (?:error|connection
  |authentication)|connection_error|curl: \((?:6|7|16|18|35|52|55|56|92)\)|curl error|i/o error|ioexception
  |socketexception|网络(?:错误|异常|连接失败|问题|波动|中断|请求失败|故障)|连接(?:失败|被重置|中断|断开|错误|异常|关闭|已关闭|被拒绝)|无法连接|断开连接|请求上游.{0,8}失败
  |域名解析|ネットワークエラー|接続(?:エラー|に失敗)|네트워크 오류|error de red
`

/** The answer could not be read. */
export const broken = pattern`
  unexpected (?:token|end of (?:json|data|input|file)|non-?whitespace|character|identifier|number
  |string) |unexpected end of|is not valid json|not (?:a )?valid json|invalid json (?:response|output|from|in)
  |json ?(?:decode|parse|parsing|syntax) ?(?:error|exception|failed)|jsondecodeerror|expecting value: line
  |failed to (?:parse|decode|deserialize|process|unmarshal)[^.\n]{0,30}(?:response|chunk|json|body|stream|sse
  |result|event|answer|reply)|(?:error|failed|failure|unable|cannot|could not) (?:to )?(?:parsing|decoding|pars
  |decod|unmarshal|deserializ)\w{0,12}|invalid character '|looking for beginning of value|cannot unmarshal
  |cannot deserialize|incomplete json|malformed (?:response|json|chunk|data|reply|answer)|(?:invalid|unexpected
  |unrecogni[sz]ed|bad|unsupported) (?:response|reply) (?:format|body|from|structure|shape|type|data|object
  |schema)|content-?type[^.\n]{0,40}(?:text/html|unexpected|mismatch|unsupported)|expected (?:json|event-stream
  |application/json)|no (?:valid )?json (?:object )?(?:found|could be decoded)|syntaxerror|type validation failed
  |validation error[s]? for (?:\w{1,24}response|chatcompletion)|incorrect padding|cannot identify image file
  |解析.{0,8}(?:失败|错误|响应)|(?:响应|返回)[^。\n]{0,8}(?:格式|解析)[^。\n]{0,8}(?:错误|失败|异常)|无法解析
`

/** The answer holds no image. */
export const empty = pattern`
  no (?:base64 )?(?:images?|picture|media|candidates?|content|output|choices|parts|data|text
  |result)s?\b[^.\n]{0,40}(?:data |were |was |is |are |url |been ){0,6}(?:found|returned|generated|produced
  |received|in (?:the )?(?:response|result|answer|output|reply)|available in|extracted|present
  |from (?:the )?(?:model|api|gemini|provider|upstream))|(?:response|result|answer|output|reply|completion|content
  |choices|candidates|model|stream|upstream|api|gemini|data)[^.\n]{0,40}(?:(?:was|is|are|were|returned|contains?
  |contained|has|had|with|did not|does not|didn't|doesn't|without|returned an|an)? ?(?:empty|no (?:image|content
  |output|text|candidates|choices|parts|data|valid)|not (?:contain|include|return|produce|generate)|contain
  |blank))(?: |\b)(?:an? |any )?|text[- ]only|returned only text|empty (?:choices|response|content|result|output
  |answer|reply|completion|message|stream|image|candidates|body|text|string)|returned nothing
  |without (?:an? |any )?(?:image|content|output|candidates|valid content)|\b(?:0|zero) images?\b
  |without sending (?:any )?chunks|returned no \w{1,24}|(?:received|got|returned|generated|produced) (?:0|no
  |zero) \w{1,24}|image (?:data )?(?:is |was )?missing|failed to (?:extract|find|get|obtain
  |retrieve) (?:the |an? |any )?(?:generated )?images?|did not (?:return|generate|produce|include|contain)
  |no images? (?:was|were)|no_image|noimagegenerated|no image|(?:未|没有|无|沒有)(?:能)?(?:返回|找到|生成|获取到|包含|提取到|收到|检测到|得到
  |输出|获得|解析出)(?:到)?[^。\n]{0,12}(?:图片|图像|内容|结果|数据|图|image|响应)|(?:图片|图像|内容|结果|响应|返回|回复|输出)(?:数据|内容|结果)?(?:为|是|中没有
  |不包含|中未找到)(?:空|图片|图像)?|空(?:回复|响应|内容|结果|返回)|返回(?:了)?空|未返回|生成(?:结果)?为空|画像が(?:生成|返)|이미지가 (?:생성|반환)되지
`

/** The provider could not get or read a file that the request names. */
export const media = pattern`
  (?:fail\w{0,12}|unable|error|could not|cannot|can'?t|not)[^.\n]{0,20} (?:download|downloading|fetch|fetching
  |retriev\w{1,24}|access|accessing|open|load|loading|process|processing|decode|read
  |reading)\b[^.\n]{0,50}(?:image|file|url|media|photo|picture|input)|(?:image|file|media)[^.\n]{0,30}(?:download
  |fetch)[^.\n]{0,20}(?:fail|error|timed? ?out|timeout)|provided image is not valid|(?:图片|文件|图像)(?:链接|地址
  |url)?(?:下载|获取|读取|解码|处理)(?:失败|超时|错误)|无法(?:下载|获取|读取|访问).{0,8}(?:图片|文件|链接)
`

/** The request is wrong. */
export const request = pattern`
  invalid (?:argument|request|parameter|value|input|field|json payload|type|format|image|mime|size|aspect|schema
  |role|content|url|base64|prompt|option|json|body|payload)|(?:missing|required|unknown|unsupported
  |unrecogni[sz]ed|unexpected|extra|invalid|illegal|bad) (?:required )?(?:request )?(?:parameter|field|argument
  |property|name|key|body|header|value|option|keyword|role|media type|content type|mime|format|aspect|file
  |image)s?|(?:parameter|field|argument|property|value|prompt|size|image|messages|input|mime ?type
  |aspect[ _]?ratio|format|modality|modalities|instruction|quality|resolution
  |reference)s?\b[^.\n]{0,60}(?:is |are |was |be )?(?:required|missing|invalid|not (?:valid|supported|allowed
  |permitted|enabled|provided|specified)|unsupported|must be|must not|cannot be|should be|out of range|not one of
  |unknown|empty)|(?:should|must) match|must (?:be|contain|have|provide|include|specify) (?:one of|a |an |at least
  |either|between|less|greater|set|present|non)|does not support|not support(?:ed)?|cannot find field|proto field
  |field required|input should be|extra inputs are not permitted|malformed (?:request|input|json body)
  |could not parse (?:your|the) (?:json|request)|bad request|unprocessable|validation (?:error|failed|exception)
  |thought_signature|failed precondition|expected [^.\n]{0,40}(?:but )?(?:got|received)|(?:is
  |are) not (?:a )?(?:valid|supported|allowed)|unable to process input|please (?:use|provide|specify|check (?:your
  |the) (?:parameter|request|input))|参数[^。,\n]{0,12}(?:错误|有误|无效|异常|不合法|校验|缺失|不正确|非法|不能为空)|缺少(?:必要|必填)?(?:的)?参数
  |请求(?:参数|格式|体)(?:错误|有误|无效|不合法|不正确)|不能为空|格式(?:错误|不正确|不支持)|不支持(?:的)?(?:参数|格式|尺寸|操作|图片|该|此)|无效的?(?:参数|请求|图片|格式|尺寸
  |值)|必须(?:是|为|在)|取值范围|パラメータ.{0,8}(?:不正|無効)|잘못된 요청|parámetro .{0,20}(?:inválido|no válido)
`

/** The server failed. */
export const fault = pattern`
  internal (?:server )?(?:error|failure|exception)|server (?:had|experienced|encountered) an? (?:\w{1,24} )?error
  |(?:an?|the|unexpected|unknown|some
  |encountered an?) (?:unexpected |internal |unknown |server |upstream ){0,6}error (?:has )?(?:occurred|while|when
  |during)|error occurred while processing|something went wrong|bad gateway|upstream (?:error|request failed
  |service error|server error|returned|response)|unhandled|(?:server|service|upstream|provider|backend
  |system) (?:error|failure|exception|crash\w{0,12})|error in model serving|model serving error
  |prediction (?:failed|interrupted)|inference (?:error|failed)|out of memory|cuda|worker (?:died|crashed|lost)
  |bad_response_status_code|backend_?error|\bcancell?ed\b|系统(?:错误|异常|内部错误|故障|出错)|服务(?:器)?(?:错误|异常|内部错误|出错|故障)
  |内部(?:错误|异常|服务错误)|未知(?:错误|异常)|请求异常|上游(?:服务)?(?:错误|异常|报错|返回错误|失败)|サーバーエラー|内部エラー|서버 오류|내부 오류|error interno
`

/** The service is down, for reasons that are not said. */
export const unavailable = pattern`
  (?:service|server|model|provider|api|endpoint|gateway|backend|upstream|engine)[^.\n]{0,24}(?:unavailable
  |not available|down|offline|maintenance|out of service|disrupt)|temporarily (?:unavailable|down|disabled
  |out of service|offline)|under maintenance|服务(?:器)?(?:暂时)?(?:不可用|暂停|维护)|(?:暂时|暂)不可用|维护中|系统维护|メンテナンス|점검
`
