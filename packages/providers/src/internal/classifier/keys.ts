/** What the fields of error objects are called, and which of them count as evidence. */

/** The names of a template, parted by white space. */
const set = (names: TemplateStringsArray): ReadonlySet<string> => new Set(names.join("").trim().split(/\s+/))

/** Keys are compared without case, underscores and dashes. */
export const bare = (key: string): string => key.toLowerCase().replace(/[^a-z0-9]/g, "")

/** What the caller sent, where to read more, and what identifies the call: never evidence. */
export const ignored = set`
  url uri link links help helpurl documentationurl docurl requestid xrequestid id traceid stack trace stacktrace
  timestamp created createdat completedat modelversion responseid locale input prompt messages contents request
  requestbodyvalues requestbody requestoptions config args params options usage usagemetadata safetyratings
  safetysettings candidates choices parts content output b64json inlinedata sequencenumber method path port host
  hostname address object tools agent socket contentfilterresults contentfilterresult retryable isretryable model
  modelname systemfingerprint userid sdkhttpresponse remedyhint thoughtsignature toolcalls instructions text
`

/** Fields that hold codes. */
export const codeKeys = set`
  code type status reason errortype errorcode errcode errorname statustext statusname name limitsource faultcode
  exception errorclass codename category subtype errorreason quotaid quotametric quotavalue param kind error
  failurereason grpcstatus errorkey finishreason nativefinishreason blockreason stopreason providererrorcode
  apicode bizcode ret tag err
`

/** ErrorInfo's metadata names a quota in its own way. */
export const aliases: Readonly<Record<string, string>> = { quotalimit: "quotaid", quotalimitvalue: "quotavalue" }

/** Fields that hold HTTP statuses. */
export const statusKeys = set`
  code status statuscode httpstatus httpstatuscode httpcode errorcode rawstatuscode laststatus upstreamstatus
  upstreamstatuscode responsecode responsestatus originalstatus
`

/** Is it an HTTP status that says that something went wrong? */
export const isStatus = (n: number): boolean => Number.isInteger(n) && n >= 400 && n <= 599

/** Fields that name a wait or a point in time. */
export const hintKey =
  /^(?:retry|reset|estimatedtime|quotareset|waittime|waitseconds|cooldown|availablein|backoff|ratelimitreset)/
