/**
 * The codes that providers document, by what they mean. Names are compared without case and separators, so that
 * `insufficient_quota`, `InsufficientQuota` and `INSUFFICIENT_QUOTA` are one.
 *
 * Three weights. `hard`: says the cause whatever else the payload says. `fair`: says it unless the words name a more
 * exact cause. `weak`: a wrapper's or a status' name (`rate_limit_error`, `UNAVAILABLE`), which providers also put on
 * other causes.
 */
import type { Tag } from "holdfast/GenerationError"

export type Weight = "hard" | "fair" | "weak"

export interface Meaning {
  readonly tag: Tag
  readonly rule: string
  readonly weight: Weight
}

const key = (code: string): string => code.toLowerCase().replace(/[^a-z0-9]/g, "")

type Entry = readonly [code: string, meaning: Meaning]

/** The codes of a template, parted by white space, that mean the same. */
const codes = (weight: Weight, tag: Tag, rule: string) => (list: TemplateStringsArray): ReadonlyArray<Entry> =>
  list.join("").trim().split(/\s+/).map((code) => [key(code), { tag, rule, weight }])

/** The same for numbers, which say less than words do. */
const numbers = (tag: Tag, rule: string) => codes("fair", tag, rule)

const index = (...entries: ReadonlyArray<ReadonlyArray<Entry>>): ReadonlyMap<string, Meaning> => new Map(entries.flat())

const table = index(
  // Capacity of the provider: Google ErrorInfo, OpenAI, Anthropic, Moonshot, Ark, OpenRouter, fal, Bedrock, MiniMax.
  codes("hard", "Overloaded", "capacity")`
    MODEL_CAPACITY_EXHAUSTED MODEL_CAPACITY_EXCEEDED engine_overloaded engine_overloaded_error server_is_overloaded
    server_overloaded overloaded_error provider_overloaded model_overloaded model_overloaded_error slow_down
    capacity_exceeded no_capacity out_of_capacity insufficient_capacity upstream_provider_shared_pool
    runner_scheduling_failure queue_full ModelNotReadyException system_busy server_busy engine_busy
    upstream_overloaded resource_insufficient concurrency_pool_full upstream_provider_rate_limit
    no_available_accounts all_channels_saturated
  `,
  codes("weak", "Overloaded", "unavailable")`
    UNAVAILABLE service_unavailable ServiceUnavailable ServiceUnavailableError ServiceUnavailableException
    service_unavailable_error ServerUnavailable provider_unavailable no_available_providers channel:no_available_key
    model_unavailable temporarily_unavailable
  `,
  // Money and long quotas.
  codes("hard", "QuotaExhausted", "balance")`
    insufficient_quota insufficient_user_quota insufficient_balance insufficient_credits insufficient_credit
    InsufficientCreditsError insufficient_funds INSUFFICIENT_G1_CREDITS_BALANCE QUOTA_EXHAUSTED
    billing_hard_limit_reached billing_hard_limit billing_not_active billing_error AccountOverdueError
    AccountOverdue ServiceOverdue OperationDenied.ServiceOverdue Arrearage PrepaidBillOverdue PostpaidBillOverdue
    exceeded_current_quota_error exceeded_quota usage_limit_reached usage_limit_exceeded
    pre_consume_token_quota_failed entitlement_daily_limit_exceeded AllocationQuota.FreeTierOnly FreeTierOnly
    budget_exceeded BudgetExceededError spending_limit_reached spend_limit_exceeded spending_cap_exceeded
    daily_limit_exceeded monthly_limit_exceeded out_of_credits payment_required balance_not_enough quota_not_enough
    token_quota_exhausted SetLimitExceeded balance_insufficient credits_exhausted credit_limit_reached
    user_quota_exhausted quota_limit_reached weekly_limit_exceeded free_quota_exhausted insufficient_token_quota
    openai_quota_exceeded plan_limit_reached
  `,
  codes("fair", "QuotaExhausted", "quota")`
    ServiceQuotaExceededException QuotaExceeded quota_exceeded QuotaExceededError daily_quota_exceeded
    dailyLimitExceeded
  `,
  // The credential.
  codes("hard", "Unauthorized", "credential")`
    API_KEY_INVALID invalid_api_key InvalidApiKey incorrect_api_key incorrect_api_key_error invalid_api_key_error
    api_key_expired CREDENTIALS_MISSING ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_TYPE_UNSUPPORTED no_organization
    invalid_authentication_error token_expired token_revoked token_invalid token_invalidated
    UnrecognizedClientException ExpiredTokenException InvalidSignatureException InvalidClientTokenId
    MissingAuthenticationToken MissingAuthenticationTokenException IncompleteSignatureException
    SignatureDoesNotMatch invalid_grant channel:invalid_key missing_api_key invalid_token InvalidSubscriptionKey
    account_not_found invalid_organization key_expired api_key_not_found
  `,
  codes("weak", "Unauthorized", "credential")`
    UNAUTHENTICATED authentication_error AuthenticationError Unauthorized unauthorized authentication
    InvalidAuthentication authentication_failed AuthenticationFailed AuthError AuthenticationRequired auth_error
  `,
  // Allowed or not.
  codes("hard", "Forbidden", "permission")`
    API_KEY_SERVICE_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED API_KEY_IP_ADDRESS_BLOCKED API_KEY_ANDROID_APP_BLOCKED
    API_KEY_IOS_APP_BLOCKED CONSUMER_SUSPENDED CONSUMER_INVALID SERVICE_DISABLED IAM_PERMISSION_DENIED
    ACCESS_TOKEN_SCOPE_INSUFFICIENT unsupported_country_region_territory account_deactivated account_suspended
    account_disabled organization_restricted organization_disabled AccessDenied.Unpurchased Model.AccessDenied
    Workspace.AccessDenied BILLING_DISABLED USER_PROJECT_DENIED OperationDenied.ServiceNotOpen ServiceNotOpen
    user_banned ip_not_allowed SECURITY_POLICY_VIOLATED VPC_SERVICE_CONTROLS CommodityNotPurchased
    insufficient_permissions missing_scope unsupported_region LOCATION_POLICY_VIOLATED
  `,
  codes("weak", "Forbidden", "permission")`
    PERMISSION_DENIED permission_error PermissionDeniedError permission_denied Forbidden AccessDenied
    AccessDeniedException access_denied request_forbidden access_terminated_error invalid_channel_access
    InvalidAccess
  `,
  // The model.
  codes("hard", "ModelNotFound", "model")`
    model_not_found ModelNotFound ModelNotFoundError DeploymentNotFound InvalidEndpointOrModel.NotFound
    InvalidEndpoint.NotFound ModelNotOpen model_not_exist model_does_not_exist unknown_model invalid_model
    model_not_supported unsupported_model UnsupportedModel model_decommissioned ModelNotExist model_not_available
    NoSuchModel model_deprecated model_not_allowed InvalidModelId model_disabled ModelIdNotFound no_such_model
  `,
  codes("weak", "ModelNotFound", "not-found")`
    NOT_FOUND not_found not_found_error NotFoundError NotFound ResourceNotFoundException ResourceNotFound
    resource_not_found resource_not_found_error unknown_url model_price_error
  `,
  // Content policy.
  codes("hard", "ContentBlocked", "content")`
    content_policy_violation ContentPolicyViolationError moderation_blocked content_filter content_filtered
    ContentFilter ResponsibleAIPolicyViolation prompt_blocked sensitive_words_detected DataInspectionFailed
    data_inspection_failed SensitiveContentDetected InputTextSensitiveContentDetected
    InputImageSensitiveContentDetected OutputImageSensitiveContentDetected OutputTextSensitiveContentDetected
    safety_violation safety_check_failed IPInfringementSuspect FaqRuleBlocked CustomRoleBlocked content_moderation
    content_violation moderation_error ContentModerationError refusal nsfw_content_detected NSFW blocked_by_safety
    content_blocked image_safety_violation RiskContent violation_fee output_moderation_blocked input_moderation
    cyber_policy_violation CopyrightViolation guardrail_blocked policy_violation content_flagged PolicyViolation
    InternalError.Algo.DataInspectionFailed prompt_flagged IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION
    PROHIBITED_CONTENT MODEL_ARMOR
  `,
  // The request.
  codes("fair", "InvalidRequest", "request")`
    context_length_exceeded string_too_long image_too_large image_too_small unsupported_image_format
    image_download_failed image_not_found file_download_error image_load_error InvalidParameter MissingParameter
    missing_required_parameter invalid_parameter_error InvalidParameterError unknown_parameter unsupported_parameter
    unsupported_value invalid_value invalid_type VALIDATION_ERROR ValidationException validation_failed
    invalid_image invalid_image_url invalid_image_format invalid_base64 request_too_large payload_too_large
    bad_request_body convert_request_failed read_request_body_failed unprocessable unprocessable_entity invalid_json
    json_invalid value_error missing InvalidURL InvalidEndpoint.ClosedEndpoint invalid_prompt image_parse_error
    invalid_number_of_images invalid_size OutofContextError max_tokens_exceeded token_limit_exceeded
    InvalidArgumentError UnsupportedOperation INVALID_JSON invalid_messages precondition_failed BadRequest.TooLarge
    BadRequest.EmptyInput unsupported_file invalid_encrypted_content previous_response_not_found
    ContextWindowExceededError UnsupportedParamsError context_window_exceeded integer_above_max_value
    integer_below_min_value greater_than_equal less_than_equal literal_error string_type extra_forbidden
    string_above_max_length invalid_api_type
  `,
  codes("weak", "InvalidRequest", "request")`
    INVALID_ARGUMENT FAILED_PRECONDITION OUT_OF_RANGE BadRequest BadRequestError bad_request invalid_request
    InvalidRequest UNIMPLEMENTED ClientError
  `,
  // Our own rate.
  codes("hard", "RateLimited", "rate")`
    token_concurrency_limit_reached concurrency_limit_reached concurrency_limit_exceeded
    RateLimitExceeded.EndpointRPMExceeded RateLimitExceeded.EndpointTPMExceeded ModelAccountRpmRateLimitExceeded
    ModelAccountTpmRateLimitExceeded RequestBurstTooFast ModelAccountIpmRateLimitExceeded AccountRateLimitExceeded
    APIAccountRpmRateLimitExceeded limit_burst_rate Throttling.RateQuota Throttling.BurstRate
    Throttling.AllocationQuota openrouter_in_flight_budget InflightBatchsizeExceeded Throttling.User
    too_many_concurrent_requests free-models-per-min RequestLimitExceeded.PerSecond limit_requests
  `,
  codes("weak", "RateLimited", "rate")`
    rate_limit_exceeded rate_limit_error RateLimitError rate_limited rate_limit rate_limit_reached_error
    rate_limit_reached RateLimitReached TooManyRequests TooManyRequestsError TooManyRequestsException
    too_many_requests ThrottlingException throttling_error Throttling Throttled RESOURCE_EXHAUSTED ResourceExhausted
    RateLimitExceeded RequestLimitExceeded LimitExceeded requests tokens RATE_LIMIT_EXCEEDED
    rate_limit_exceeded_error user_rate_limit_exceeded userRateLimitExceeded rateLimitExceeded
  `,
  // Waits and faults.
  codes("hard", "Timeout", "timeout")`
    channel:response_time_exceeded response_time_exceeded generation_timeout startup_timeout
    runner_connection_timeout ModelTimeoutException upstream_timeout RequestTimeOut
  `,
  codes("weak", "Timeout", "timeout")`
    DEADLINE_EXCEEDED DeadlineExceeded timeout timeout_error request_timeout gateway_timeout APITimeoutError
    APIConnectionTimeoutError TimeoutError ReadTimeout Timeout RequestTimeout GatewayTimeout
  `,
  codes("fair", "Transient", "fault")`
    do_request_failed ModelErrorException ModelStreamErrorException InternalServerException InternalServiceError
    runner_disconnected runner_connection_refused runner_connection_error runner_server_error
    runner_incomplete_response backendError downstream_service_error downstream_service_unavailable
    upstream_connection_error connection_error
  `,
  codes("weak", "Transient", "fault")`
    server_error internal_server_error InternalServerError INTERNAL internal_error InternalError INTERNAL_ERROR
    api_error http_error bad_gateway BadGateway BadGatewayError InternalFailure CANCELLED ABORTED DATA_LOSS
    APIConnectionError ServerError ModelServingError UnknownError stream_error read_response_body_failed
    upstream_request_failed server
  `,
  codes("fair", "EmptyResult", "empty")`
    empty_response empty_content no_image_generated no_image no_output empty_output NO_IMAGE empty_result no_content
    NoImageGenerated EmptyResponseError AI_NoImageGeneratedError AI_NoContentGeneratedError NoOutputGeneratedError
  `,
  codes("hard", "Malformed", "malformed")`
    AI_JSONParseError AI_TypeValidationError AI_InvalidResponseDataError
  `,
  codes("fair", "Malformed", "malformed")`
    bad_response_body invalid_response JSONDecodeError JsonParseException InvalidFormatException
    unmarshal_response_body_failed
  `
)

/**
 * Numbers that vendors document. The same number means other things elsewhere, so only whole codes count, and only
 * after the words: Zhipu (1xxx), SiliconFlow (5 digits), Baidu Qianfan (336xxx), iFlytek (10xxx, 11xxx).
 */
const vendors = index(
  numbers("Unauthorized", "credential")`1000 1001 1002 1003 1004 11200 336101`,
  numbers("Forbidden", "permission")`1110 1111 1112 1121 1220 1313`,
  numbers("QuotaExhausted", "balance")`1113 1304 1308 1309 1310 30001 30011 11201`,
  numbers("InvalidRequest", "request")`1210 1212 1213 1214 1215 1261 20015 20041 336003 336103`,
  numbers("ModelNotFound", "model")`1211 1221 1222 20012`,
  numbers("ContentBlocked", "content")`1301 10013 10014 10019 336104 20031`,
  numbers("RateLimited", "rate")`1302 1303 11202 11203 336501 336502 336503`,
  numbers("Overloaded", "capacity")`1305 1312 50501 50505 50603 10007 10010 336100`,
  numbers("Transient", "fault")`1230 1234 50507 50508 336000`
)

/** MiniMax answers 200 with a number of its own in `base_resp.status_code`. */
const minimax = index(
  numbers("Transient", "fault")`1000 1013 1024 1033`,
  numbers("Timeout", "timeout")`1001`,
  numbers("RateLimited", "rate")`1002 1039 1041 2045`,
  numbers("Unauthorized", "credential")`1004 2049`,
  numbers("QuotaExhausted", "balance")`1008 1028 1030 2056`,
  numbers("ContentBlocked", "content")`1026 1027`,
  numbers("InvalidRequest", "request")`1042 2013`,
  numbers("Forbidden", "permission")`2061`
)

/** gRPC status numbers, where the key says that they are. */
const grpc: ReadonlyArray<string> = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED"
]

/** What a named code means. */
export const named = (code: string): Meaning | undefined => table.get(key(code))

/** What a vendor's number means. */
export const numbered = (code: string): Meaning | undefined => vendors.get(code)

/** What a number in MiniMax's `base_resp` means. */
export const ofMiniMax = (code: string): Meaning | undefined => minimax.get(code)

/** What a gRPC status number means. */
export const ofGrpc = (code: string): Meaning | undefined => table.get(key(grpc[Number(code)] ?? ""))
