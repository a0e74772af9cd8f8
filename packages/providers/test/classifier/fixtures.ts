/**
 * Payloads of the shapes that providers, relays and clients are known to answer with, in our own words and values,
 * each labelled by its cause before the classifier ever saw it.
 */
import type { Tag } from "holdfast/GenerationError"

export interface Fixture {
  readonly id: string
  readonly body: unknown
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly streamed?: boolean
  readonly class: Tag
  /** Classes that would be as right. */
  readonly alt?: ReadonlyArray<Tag>
  /** The wait that the payload states, in seconds. */
  readonly wait?: number
}

const json = (value: unknown): string => JSON.stringify(value, null, 2)

const gemini = (code: number, status: string, message: string, details?: ReadonlyArray<unknown>): unknown => ({
  error: { code, message, status, ...(details === undefined ? {} : { details }) }
})

const info = (reason: string, metadata: Record<string, string> = {}): unknown => ({
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason,
  domain: "googleapis.com",
  metadata
})

const retryInfo = (retryDelay: string): unknown => ({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay })

const violation = (quotaId: string, quotaValue?: string): unknown => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{
    quotaMetric: "generativelanguage.googleapis.com/requests",
    quotaId,
    ...(quotaValue === undefined ? {} : { quotaValue })
  }]
})

const openai = (message: string, type: string | null, code: string | null, param: string | null = null): unknown => ({
  error: { message, type, param, code }
})

const anthropic = (type: string, message: string): unknown => ({ type: "error", error: { type, message } })

/** Google: Developer API, Vertex, their clients. */
const google: ReadonlyArray<Fixture> = [
  {
    id: "g-key-missing",
    status: 403,
    body: gemini(
      403,
      "PERMISSION_DENIED",
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
    ),
    class: "Forbidden",
    alt: ["Unauthorized"]
  },
  {
    id: "g-key-leaked",
    status: 403,
    body: gemini(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
    class: "Forbidden",
    alt: ["Unauthorized"]
  },
  {
    id: "g-dunning",
    status: 403,
    body: gemini(403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support."),
    class: "Forbidden"
  },
  {
    id: "g-scope",
    status: 403,
    body: gemini(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", [
      info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    ]),
    class: "Forbidden"
  },
  {
    id: "g-prepay",
    status: 429,
    body: gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing."
    ),
    class: "QuotaExhausted"
  },
  {
    id: "g-spendcap",
    status: 429,
    body: gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "Your project has exceeded its monthly spending cap. Please go to AI Studio to manage your project spend cap."
    ),
    class: "QuotaExhausted"
  },
  {
    id: "g-minute-rpm",
    status: 429,
    body: gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "You exceeded your current quota, please check your plan and billing details.",
      [violation("GenerateRequestsPerMinutePerProjectPerModel", "10"), retryInfo("41s")]
    ),
    class: "RateLimited",
    wait: 41
  },
  {
    id: "g-image-day",
    status: 429,
    body: gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "You exceeded your current quota, please check your plan and billing details.",
      [violation("GenerateRequestsPerDayPerProjectPerModel", "250"), retryInfo("13822.4s")]
    ),
    class: "QuotaExhausted",
    wait: 13822.4
  },
  {
    id: "g-text-limit-zero",
    status: 429,
    body:
      "You exceeded your current quota. * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: gemini-3-pro-image\nPlease retry in 21.6s.",
    class: "QuotaExhausted",
    wait: 21.6
  },
  {
    id: "g-text-limit-20-retry",
    status: 429,
    body:
      "[429 Too Many Requests] You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count, limit: 1000000, model: gemini-2.5-pro\nPlease retry in 7.25s.",
    class: "RateLimited",
    wait: 7.25
  },
  { id: "g-500", status: 500, body: gemini(500, "INTERNAL", "Internal error encountered."), class: "Transient" },
  {
    id: "g-500-unknown",
    status: 500,
    body: gemini(500, "UNKNOWN", "An unexpected error has occurred."),
    class: "Transient"
  },
  {
    id: "g-503-visibility",
    status: 503,
    body: gemini(503, "UNAVAILABLE", "Visibility check was unavailable. Please retry the request."),
    class: "Overloaded",
    alt: ["Transient"]
  },
  {
    id: "g-503-service",
    status: 503,
    body: gemini(503, "UNAVAILABLE", "The service is currently unavailable."),
    class: "Overloaded"
  },
  {
    id: "g-504",
    status: 504,
    body: gemini(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    class: "Timeout"
  },
  {
    id: "g-504-stream",
    status: 504,
    body: gemini(504, "DEADLINE_EXCEEDED", "The request timed out. Please try again."),
    class: "Timeout"
  },
  {
    id: "g-400-mime",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "Unsupported MIME type: image/svg+xml"),
    class: "InvalidRequest"
  },
  {
    id: "g-400-image",
    status: 400,
    body: gemini(
      400,
      "INVALID_ARGUMENT",
      "Unable to process input image. Please retry or report in the developer forum."
    ),
    class: "InvalidRequest"
  },
  {
    id: "g-400-provided-image",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "Provided image is not valid."),
    class: "InvalidRequest"
  },
  {
    id: "g-400-aspect",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "aspect_ratio must be one of '1:1', '3:4', '4:3', '9:16' and '16:9'."),
    class: "InvalidRequest"
  },
  {
    id: "g-400-size",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
    class: "InvalidRequest"
  },
  {
    id: "g-400-modalities",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "Model does not support the requested response modalities: image"),
    class: "InvalidRequest",
    alt: ["ModelNotFound"]
  },
  {
    id: "g-400-multiturn",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "Please ensure that multiturn requests alternate between user and model."),
    class: "InvalidRequest"
  },
  {
    id: "g-400-billing-free-tier",
    status: 400,
    body: gemini(
      400,
      "FAILED_PRECONDITION",
      "Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio."
    ),
    class: "Forbidden"
  },
  {
    id: "g-400-imagen-billed",
    status: 400,
    body: gemini(400, "INVALID_ARGUMENT", "Imagen API is only accessible to billed users at this time."),
    class: "Forbidden",
    alt: ["QuotaExhausted", "InvalidRequest"]
  },
  {
    id: "g-401-oauth",
    status: 401,
    body: gemini(
      401,
      "UNAUTHENTICATED",
      "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
      [info("ACCESS_TOKEN_EXPIRED")]
    ),
    class: "Unauthorized"
  },
  {
    id: "g-404-v1main",
    status: 404,
    body: gemini(
      404,
      "NOT_FOUND",
      "models/gemini-3-pro-image is not found for API version v1, or is not supported for predict."
    ),
    class: "ModelNotFound"
  },
  {
    id: "g-404-shutdown",
    status: 404,
    body: gemini(
      404,
      "NOT_FOUND",
      "This model models/gemini-2.5-flash-image-preview is no longer available. Please update your code to use a newer model."
    ),
    class: "ModelNotFound"
  },
  {
    id: "g-404-entity",
    status: 404,
    body: gemini(404, "NOT_FOUND", "Requested entity was not found."),
    class: "ModelNotFound",
    alt: ["InvalidRequest"]
  },
  {
    id: "g-imagen-filter",
    status: 400,
    body: gemini(
      400,
      "INVALID_ARGUMENT",
      "The prompt could not be submitted. This prompt contains sensitive words that violate Google's Responsible AI practices. Try rephrasing the prompt. Support codes: 58061214"
    ),
    class: "ContentBlocked"
  },
  {
    id: "g-imagen-rai",
    status: 200,
    body: {
      predictions: [{
        raiFilteredReason:
          "Unable to show generated images. All images were filtered out because they violated usage guidelines."
      }]
    },
    class: "ContentBlocked",
    alt: ["EmptyResult"]
  },
  {
    id: "g-safety-candidate",
    status: 200,
    body: {
      candidates: [{ finishReason: "IMAGE_SAFETY", index: 0, finishMessage: "Unable to show the generated image." }],
      modelVersion: "gemini-3-pro-image"
    },
    class: "ContentBlocked"
  },
  {
    id: "g-no-image",
    status: 200,
    body: { candidates: [{ content: { parts: null }, finishReason: "NO_IMAGE" }] },
    class: "EmptyResult",
    alt: ["ContentBlocked"]
  },
  {
    id: "g-text-only",
    status: 200,
    body: {
      candidates: [{
        content: { role: "model", parts: [{ text: "Sure! Here is a watercolour of a lighthouse at dusk." }] },
        finishReason: "STOP"
      }]
    },
    class: "EmptyResult"
  },
  {
    id: "g-empty-candidates",
    status: 200,
    body: { candidates: [], usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 } },
    class: "EmptyResult"
  },
  {
    id: "g-no-candidates",
    status: 200,
    body: {
      usageMetadata: { promptTokenCount: 10 },
      modelVersion: "gemini-3-pro-image",
      promptFeedback: { blockReason: "OTHER" }
    },
    class: "ContentBlocked"
  },
  {
    id: "g-lost-image",
    status: 200,
    body: {
      candidates: [{ content: { parts: [{ text: "Here you go" }] }, finishReason: "STOP" }],
      usageMetadata: { candidatesTokenCount: 1310 }
    },
    class: "EmptyResult"
  },
  {
    id: "g-py-500",
    body:
      "google.genai.errors.ServerError: 500 INTERNAL. {'error': {'code': 500, 'message': 'Internal error encountered.', 'status': 'INTERNAL'}}",
    class: "Transient"
  },
  {
    id: "g-js-503",
    body: `ApiError: got status: 503 . ${
      json(gemini(503, "UNAVAILABLE", "This model is currently experiencing high demand. Please try again later."))
    }`,
    class: "Overloaded"
  },
  {
    id: "g-grpc-unavailable",
    body: "google.api_core.exceptions.ServiceUnavailable: 503 502:Bad Gateway",
    class: "Transient",
    alt: ["Overloaded"]
  },
  {
    id: "g-grpc-exhausted",
    body:
      "io.grpc.StatusRuntimeException: RESOURCE_EXHAUSTED: Quota exceeded for aiplatform.googleapis.com/generate_content_requests_per_minute_per_project_per_base_model with base model: gemini-pro-vision. Please submit a quota increase request.",
    class: "RateLimited"
  },
  {
    id: "g-vertex-quota",
    status: 429,
    body: gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: imagen-4.0. Please submit a quota increase request."
    ),
    class: "RateLimited",
    alt: ["QuotaExhausted"]
  },
  {
    id: "g-vertex-403-disabled",
    status: 403,
    body: gemini(
      403,
      "PERMISSION_DENIED",
      "Vertex AI API has not been used in project 123 before or it is disabled. Enable it by visiting the console then retry.",
      [info("SERVICE_DISABLED")]
    ),
    class: "Forbidden"
  },
  {
    id: "g-vertex-billing",
    status: 403,
    body: gemini(
      403,
      "PERMISSION_DENIED",
      "This API method requires billing to be enabled. Please enable billing on project #123.",
      [info("BILLING_DISABLED")]
    ),
    class: "Forbidden",
    alt: ["QuotaExhausted"]
  },
  {
    id: "g-vertex-adc",
    body:
      "google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found. To set up Application Default Credentials, see the documentation.",
    class: "Unauthorized"
  },
  {
    id: "g-vertex-refresh",
    body:
      "google.auth.exceptions.RefreshError: Reauthentication is needed. Please run `gcloud auth application-default login` to reauthenticate.",
    class: "Unauthorized"
  },
  {
    id: "g-code-assist-quota",
    status: 429,
    body: gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "You have exhausted your capacity on this model. Your quota will reset after 2h31m10s.",
      [info("QUOTA_EXHAUSTED", { quotaResetDelay: "2h31m10.5s" })]
    ),
    class: "QuotaExhausted",
    wait: 9070.5
  },
  {
    id: "g-499",
    status: 499,
    body: gemini(499, "CANCELLED", "The operation was cancelled."),
    class: "Transient",
    alt: ["Timeout", "Overloaded"]
  },
  {
    id: "g-java",
    body: "com.google.genai.errors.ServerException: 503 . The model is overloaded. Please try again later.",
    class: "Overloaded"
  },
  {
    id: "g-go",
    body:
      "Error 429, Message: Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details., Status: RESOURCE_EXHAUSTED, Details: []",
    class: "Overloaded"
  },
  {
    id: "g-sse-tail",
    status: 200,
    streamed: true,
    body:
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Drawing\"}],\"role\":\"model\"},\"index\":0}]}\n\n" +
      json(gemini(503, "UNAVAILABLE", "The model is overloaded.")),
    class: "Overloaded"
  },
  {
    id: "g-sse-cut",
    status: 200,
    streamed: true,
    body:
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Let me draw\"}],\"role\":\"model\"},\"index\":0}]}\n\n",
    class: "Transient",
    alt: ["Malformed", "EmptyResult"]
  }
]

/** OpenAI and Azure. */
const openAi: ReadonlyArray<Fixture> = [
  {
    id: "o-401-key",
    status: 401,
    body: openai(
      "Incorrect API key provided: sk-abc***xyz. You can find your API key at the dashboard.",
      "invalid_request_error",
      "invalid_api_key"
    ),
    class: "Unauthorized"
  },
  {
    id: "o-401-none",
    status: 401,
    body: openai(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.",
      "invalid_request_error",
      null
    ),
    class: "Unauthorized"
  },
  {
    id: "o-401-scope",
    status: 401,
    body: openai(
      "You have insufficient permissions for this operation. Missing scopes: model.request.",
      "invalid_request_error",
      "missing_scope"
    ),
    class: "Forbidden",
    alt: ["Unauthorized"]
  },
  {
    id: "o-403-verify",
    status: 403,
    body: openai(
      "Your organization must be verified to use the model `gpt-image-1`. Please go to the settings and click on Verify Organization.",
      "invalid_request_error",
      null
    ),
    class: "Forbidden"
  },
  {
    id: "o-403-model",
    status: 403,
    body: openai(
      "Project `proj_1` does not have access to model `gpt-image-1`",
      "invalid_request_error",
      "model_not_found"
    ),
    class: "ModelNotFound",
    alt: ["Forbidden"]
  },
  {
    id: "o-403-country",
    status: 403,
    body: openai(
      "Country, region, or territory not supported",
      "request_forbidden",
      "unsupported_country_region_territory"
    ),
    class: "Forbidden"
  },
  {
    id: "o-404-model",
    status: 404,
    body: openai("The model `gpt-image-9` does not exist", "invalid_request_error", "model_not_found"),
    class: "ModelNotFound"
  },
  {
    id: "o-404-url",
    status: 404,
    body: openai("Invalid URL (POST /v1/image/generation)", "invalid_request_error", null),
    class: "InvalidRequest",
    alt: ["ModelNotFound"]
  },
  {
    id: "o-429-rpm",
    status: 429,
    headers: { "retry-after": "12", "x-ratelimit-remaining-requests": "0" },
    body: openai(
      "Rate limit reached for gpt-image-1 in organization org-1 on input-images per min: Limit 5, Used 5, Requested 1. Please try again in 12s.",
      "input-images",
      "rate_limit_exceeded"
    ),
    class: "RateLimited",
    wait: 12
  },
  {
    id: "o-429-tpm-large",
    status: 429,
    body: openai(
      "Request too large for gpt-4.1 in organization org-1 on tokens per min (TPM): Limit 30000, Requested 44101. The input or output tokens must be reduced in order to run successfully.",
      "tokens",
      "rate_limit_exceeded"
    ),
    class: "InvalidRequest",
    alt: ["RateLimited"]
  },
  {
    id: "o-429-rpd",
    status: 429,
    body: openai(
      "Rate limit reached for gpt-4o in organization org-1 on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.",
      "requests",
      "rate_limit_exceeded"
    ),
    class: "QuotaExhausted",
    wait: 432
  },
  {
    id: "o-429-slow",
    status: 503,
    body: openai(
      "Slow Down. Please reduce your request rate to its original level, keep it there for at least 15 minutes, and then increase it gradually.",
      "server_error",
      "slow_down"
    ),
    class: "Overloaded",
    alt: ["RateLimited"]
  },
  {
    id: "o-429-billing",
    status: 429,
    body: openai(
      "Your account is not active, please check your billing details on our website.",
      "billing_not_active",
      "billing_not_active"
    ),
    class: "QuotaExhausted"
  },
  {
    id: "o-400-hard-limit",
    status: 400,
    body: openai("Billing hard limit has been reached.", "billing_limit_user_error", "billing_hard_limit_reached"),
    class: "QuotaExhausted"
  },
  {
    id: "o-400-moderation",
    status: 400,
    body: openai(
      "Your request was rejected by the safety system. If you believe this is an error, contact us and include the request ID. safety_violations=[sexual].",
      "image_generation_user_error",
      "moderation_blocked"
    ),
    class: "ContentBlocked"
  },
  {
    id: "o-400-policy",
    status: 400,
    body: openai(
      "This request has been blocked by our content filters.",
      "invalid_request_error",
      "content_policy_violation"
    ),
    class: "ContentBlocked"
  },
  {
    id: "o-400-invalid-prompt",
    status: 400,
    body: openai(
      "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.",
      "invalid_request_error",
      "invalid_prompt"
    ),
    class: "ContentBlocked"
  },
  {
    id: "o-400-size",
    status: 400,
    body: openai(
      "Invalid value: '512x512'. Supported values are: '1024x1024', '1024x1536', '1536x1024', and 'auto'.",
      "invalid_request_error",
      "invalid_value",
      "size"
    ),
    class: "InvalidRequest"
  },
  {
    id: "o-400-context",
    status: 400,
    body: openai(
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 190233 tokens.",
      "invalid_request_error",
      "context_length_exceeded",
      "messages"
    ),
    class: "InvalidRequest"
  },
  {
    id: "o-400-unknown-param",
    status: 400,
    body: openai(
      "Unknown parameter: 'response_format'.",
      "invalid_request_error",
      "unknown_parameter",
      "response_format"
    ),
    class: "InvalidRequest"
  },
  {
    id: "o-400-image-url",
    status: 400,
    body: openai(
      "Timeout while downloading https://example.org/cat.png.",
      "invalid_request_error",
      "invalid_image_url"
    ),
    class: "InvalidRequest"
  },
  {
    id: "o-400-json",
    status: 400,
    body: openai(
      "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.",
      "invalid_request_error",
      null
    ),
    class: "InvalidRequest"
  },
  {
    id: "o-415",
    status: 415,
    body: openai("Unsupported media type. Use 'application/json'.", "invalid_request_error", null),
    class: "InvalidRequest"
  },
  {
    id: "o-500",
    status: 500,
    body: openai("The server had an error while processing your request. Sorry about that!", "server_error", null),
    class: "Transient"
  },
  { id: "o-502", status: 502, body: openai("Bad gateway.", "cf_bad_gateway", null), class: "Transient" },
  {
    id: "o-503",
    status: 503,
    body: openai("The engine is currently overloaded, please try again later", "server_error", null),
    class: "Overloaded"
  },
  {
    id: "o-503-upstream",
    status: 503,
    body: "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    class: "Transient",
    alt: ["Overloaded"]
  },
  {
    id: "o-stream-failed",
    status: 200,
    streamed: true,
    body:
      "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Rate limit reached for gpt-5 on tokens per min (TPM). Please try again in 1.2s.\"}}}\n\n",
    class: "RateLimited",
    wait: 1.2
  },
  {
    id: "o-usage-limit",
    status: 429,
    body: {
      error: {
        type: "usage_limit_reached",
        message: "The usage limit has been reached",
        plan_type: "plus",
        resets_in_seconds: 8130
      }
    },
    class: "QuotaExhausted",
    wait: 8130
  },
  {
    id: "o-deactivated",
    status: 401,
    body: openai(
      "Your account has been deactivated. Please check your email for more information.",
      "invalid_request_error",
      "account_deactivated"
    ),
    class: "Forbidden",
    alt: ["Unauthorized"]
  },
  {
    id: "o-filtered-choice",
    status: 200,
    body: {
      id: "x",
      object: "chat.completion",
      choices: [{ index: 0, finish_reason: "content_filter", message: { role: "assistant", content: "" } }]
    },
    class: "ContentBlocked"
  },
  {
    id: "o-refusal",
    status: 200,
    body: {
      choices: [{
        index: 0,
        finish_reason: "stop",
        message: { role: "assistant", content: null, refusal: "I can't help with that." }
      }]
    },
    class: "ContentBlocked"
  },
  {
    id: "o-empty-choice",
    status: 200,
    body: { choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "" } }] },
    class: "EmptyResult"
  },
  { id: "o-empty-data", status: 200, body: { created: 1, data: [] }, class: "EmptyResult" },
  {
    id: "o-length",
    status: 200,
    body: { choices: [{ index: 0, finish_reason: "length", message: { role: "assistant", content: "" } }] },
    class: "EmptyResult"
  },
  {
    id: "a-429",
    status: 429,
    headers: { "retry-after-ms": "1500", "retry-after": "2" },
    body: {
      error: {
        code: "429",
        message:
          "Requests to the ChatCompletions_Create Operation have exceeded call rate limit of your current OpenAI S0 pricing tier."
      }
    },
    class: "RateLimited",
    wait: 1.5
  },
  {
    id: "a-429-no-capacity",
    status: 429,
    body: {
      error: {
        code: "NoCapacity",
        message:
          "The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load."
      }
    },
    class: "Overloaded"
  },
  {
    id: "a-401",
    status: 401,
    body: {
      error: {
        code: "401",
        message:
          "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription."
      }
    },
    class: "Unauthorized"
  },
  {
    id: "a-403-net",
    status: 403,
    body: { error: { code: "403", message: "Access denied due to Virtual Network/Firewall rules." } },
    class: "Forbidden"
  },
  {
    id: "a-404-dep",
    status: 404,
    body: { error: { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." } },
    class: "ModelNotFound"
  },
  {
    id: "a-400-filter",
    status: 400,
    body: {
      error: {
        message:
          "The response was filtered due to the prompt triggering the content management policy. Please modify your prompt and retry.",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: {
          code: "ResponsibleAIPolicyViolation",
          content_filter_result: { sexual: { filtered: true, severity: "high" } }
        }
      }
    },
    class: "ContentBlocked"
  },
  {
    id: "a-unsupported",
    status: 400,
    body: {
      error: {
        code: "OperationNotSupported",
        message:
          "The chatCompletion operation does not work with the specified model, dall-e-3. Please choose different model and try again."
      }
    },
    class: "InvalidRequest",
    alt: ["ModelNotFound"]
  },
  {
    id: "a-408",
    status: 408,
    body: { error: { code: "Timeout", message: "The operation was timeout." } },
    class: "Timeout"
  }
]

/** Anthropic, Bedrock, OpenRouter. */
const western: ReadonlyArray<Fixture> = [
  {
    id: "an-529",
    status: 529,
    headers: { "x-should-retry": "true" },
    body: anthropic("overloaded_error", "Overloaded"),
    class: "Overloaded"
  },
  {
    id: "an-429",
    status: 429,
    headers: { "retry-after": "57" },
    body: anthropic(
      "rate_limit_error",
      "This request would exceed your organization's rate limit of 40,000 input tokens per minute."
    ),
    class: "RateLimited",
    wait: 57
  },
  {
    id: "an-429-concurrent",
    status: 429,
    body: anthropic("rate_limit_error", "Number of concurrent connections has exceeded your rate limit."),
    class: "RateLimited"
  },
  { id: "an-401", status: 401, body: anthropic("authentication_error", "invalid x-api-key"), class: "Unauthorized" },
  {
    id: "an-401-oauth",
    status: 401,
    body: anthropic(
      "authentication_error",
      "OAuth token has expired. Please obtain a new token or refresh your existing token."
    ),
    class: "Unauthorized"
  },
  {
    id: "an-403",
    status: 403,
    body: anthropic("permission_error", "Your API key does not have permission to use the specified resource."),
    class: "Forbidden"
  },
  {
    id: "an-403-region",
    status: 403,
    body: { error: { type: "forbidden", message: "Request not allowed" } },
    class: "Forbidden"
  },
  { id: "an-404", status: 404, body: anthropic("not_found_error", "model: claude-9"), class: "ModelNotFound" },
  {
    id: "an-413",
    status: 413,
    body: anthropic("request_too_large", "Request exceeds the maximum size"),
    class: "InvalidRequest"
  },
  {
    id: "an-400-long",
    status: 400,
    body: anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    class: "InvalidRequest"
  },
  {
    id: "an-400-filter",
    status: 400,
    body: anthropic("invalid_request_error", "Output blocked by content filtering policy"),
    class: "ContentBlocked"
  },
  {
    id: "an-400-usage",
    status: 400,
    body: anthropic(
      "invalid_request_error",
      "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
    ),
    class: "QuotaExhausted"
  },
  { id: "an-500", status: 500, body: anthropic("api_error", "Internal server error"), class: "Transient" },
  { id: "an-504", status: 504, body: anthropic("timeout_error", "Request timed out"), class: "Timeout" },
  {
    id: "an-org-disabled",
    status: 400,
    body: anthropic("invalid_request_error", "This organization has been disabled."),
    class: "Forbidden"
  },
  { id: "an-sub-limit", body: "Claude AI usage limit reached|1790000000", class: "QuotaExhausted" },
  {
    id: "b-throttle",
    body:
      "An error occurred (ThrottlingException) when calling the InvokeModel operation (reached max retries: 4): Too many tokens, please wait before trying again.",
    class: "RateLimited"
  },
  {
    id: "b-throttle-day",
    body:
      "botocore.errorfactory.ThrottlingException: An error occurred (ThrottlingException) when calling the Converse operation: Too many tokens per day, please wait before trying again.",
    class: "QuotaExhausted"
  },
  {
    id: "b-requests",
    status: 429,
    headers: { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/" },
    body: { message: "Too many requests, please wait before trying again." },
    class: "RateLimited"
  },
  {
    id: "b-not-ready",
    status: 429,
    body: {
      __type: "ModelNotReadyException",
      message: "The model specified in the request is not ready to serve inference requests."
    },
    class: "Overloaded"
  },
  {
    id: "b-unavailable",
    body:
      "An error occurred (ServiceUnavailableException) when calling the InvokeModel operation (reached max retries: 4): Bedrock is unable to process your request.",
    class: "Overloaded",
    alt: ["Transient"]
  },
  {
    id: "b-access",
    body:
      "An error occurred (AccessDeniedException) when calling the InvokeModel operation: You don't have access to the model with the specified model ID.",
    class: "Forbidden",
    alt: ["ModelNotFound"]
  },
  {
    id: "b-validation",
    body:
      "An error occurred (ValidationException) when calling the InvokeModel operation: Malformed input request: #: required key [messages] not found, please reformat your input and try again.",
    class: "InvalidRequest"
  },
  {
    id: "b-model-id",
    body:
      "An error occurred (ValidationException) when calling the Converse operation: The provided model identifier is invalid.",
    class: "ModelNotFound",
    alt: ["InvalidRequest"]
  },
  {
    id: "b-eol",
    body:
      "An error occurred (ResourceNotFoundException) when calling the InvokeModel operation: This model version has reached the end of its life.",
    class: "ModelNotFound"
  },
  {
    id: "b-token",
    body:
      "An error occurred (UnrecognizedClientException) when calling the InvokeModel operation: The security token included in the request is invalid.",
    class: "Unauthorized"
  },
  {
    id: "b-timeout",
    status: 408,
    body: { __type: "ModelTimeoutException", message: "The request took too long to process." },
    class: "Timeout"
  },
  {
    id: "b-filter",
    status: 400,
    body: {
      message:
        "This request has been blocked by our content filters. Our filters automatically flagged this prompt because it may conflict with our AUP or AWS Responsible AI Policy."
    },
    class: "ContentBlocked"
  },
  {
    id: "r-402",
    status: 402,
    body: {
      error: { code: 402, message: "Insufficient credits. Add more using the credits page." },
      user_id: "user_1"
    },
    class: "QuotaExhausted"
  },
  {
    id: "r-day",
    status: 429,
    body: {
      error: {
        message: "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
        code: 429,
        metadata: {
          headers: { "X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1790000000000" }
        }
      }
    },
    class: "QuotaExhausted"
  },
  {
    id: "r-min",
    status: 429,
    body: { error: { message: "Rate limit exceeded: free-models-per-min.", code: 429 } },
    class: "RateLimited"
  },
  {
    id: "r-upstream",
    status: 429,
    body: {
      error: {
        message: "Provider returned error",
        code: 429,
        metadata: {
          raw: "google/gemini-2.5-flash-image-preview:free is temporarily rate-limited upstream. Please retry shortly.",
          provider_name: "Google AI Studio"
        }
      }
    },
    class: "Overloaded",
    alt: ["RateLimited"]
  },
  {
    id: "r-401",
    status: 401,
    body: { error: { message: "No auth credentials found", code: 401 } },
    class: "Unauthorized"
  },
  { id: "r-user", status: 401, body: { error: { message: "User not found.", code: 401 } }, class: "Unauthorized" },
  {
    id: "r-404-policy",
    status: 404,
    body: {
      error: {
        message: "No endpoints found matching your data policy. Configure it in your privacy settings.",
        code: 404
      }
    },
    class: "ModelNotFound",
    alt: ["Forbidden"]
  },
  {
    id: "r-404-modality",
    status: 404,
    body: {
      error: { message: "No endpoints found that support the requested output modalities: image, text", code: 404 }
    },
    class: "ModelNotFound",
    alt: ["InvalidRequest"]
  },
  {
    id: "r-400-model",
    status: 400,
    body: { error: { message: "google/gemini-4-image is not a valid model ID", code: 400 } },
    class: "ModelNotFound"
  },
  {
    id: "r-403-moderation",
    status: 403,
    body: {
      error: {
        message: "google/gemini requires moderation. Your input was flagged for \"violence\".",
        code: 403,
        metadata: { reasons: ["violence"], flagged_input: "..." }
      }
    },
    class: "ContentBlocked"
  },
  {
    id: "r-403-limit",
    status: 403,
    body: { error: { message: "Key limit exceeded (total limit). Manage it in the settings.", code: 403 } },
    class: "QuotaExhausted"
  },
  {
    id: "r-503",
    status: 503,
    body: {
      error: { message: "There is no available model provider that meets your routing requirements", code: 503 }
    },
    class: "Overloaded"
  },
  {
    id: "r-502",
    status: 502,
    body: {
      error: {
        message: "Provider returned error",
        code: 502,
        metadata: { raw: "error code: 502", provider_name: "Chutes" }
      }
    },
    class: "Transient"
  },
  {
    id: "r-200-stream",
    status: 200,
    streamed: true,
    body:
      ": OPENROUTER PROCESSING\n\ndata: {\"id\":\"gen-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}],\"error\":{\"code\":502,\"message\":\"Upstream idle timeout exceeded\"}}\n\ndata: [DONE]\n\n",
    class: "Timeout",
    alt: ["Transient"]
  },
  {
    id: "r-200-body",
    status: 200,
    body: { error: { message: "Internal Server Error", code: 500 }, user_id: "u" },
    class: "Transient"
  },
  {
    id: "r-choice-error",
    status: 200,
    body: {
      choices: [{
        index: 0,
        finish_reason: "error",
        message: { role: "assistant", content: "" },
        error: { code: 429, message: "Rate limit exceeded" }
      }]
    },
    class: "RateLimited",
    alt: ["Overloaded"]
  }
]

/** Groq, Mistral, xAI, Cohere, Together, Fireworks, Replicate, fal, Stability, Hugging Face and their like. */
const hosts: ReadonlyArray<Fixture> = [
  {
    id: "x-403-credits",
    status: 403,
    body: {
      code: "The caller does not have permission to execute the specified operation",
      error: "Your newly created team doesn't have any credits yet. You can purchase credits in the console."
    },
    class: "QuotaExhausted"
  },
  {
    id: "x-400-key",
    status: 400,
    body: {
      code: "Client specified an invalid argument",
      error: "Incorrect API key provided: xa***12. You can obtain an API key from the console."
    },
    class: "Unauthorized"
  },
  {
    id: "x-429",
    status: 429,
    body: {
      code: "Some resource has been exhausted",
      error:
        "Too many requests for team 1 and model grok-image. Your team's rate limit is - requests per second (actual/limit): 2/1"
    },
    class: "RateLimited"
  },
  {
    id: "x-spend",
    status: 429,
    body: {
      code: "Some resource has been exhausted",
      error: "Your team 1 has either used all available credits or reached its monthly spending limit."
    },
    class: "QuotaExhausted"
  },
  {
    id: "x-content",
    status: 400,
    body: { code: "Client specified an invalid argument", error: "Generated image rejected by content moderation." },
    class: "ContentBlocked"
  },
  {
    id: "gr-day",
    status: 429,
    headers: { "retry-after": "864" },
    body: openai(
      "Rate limit reached for model `llama` in organization `org_1` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 99000, Requested 2000. Please try again in 14m24s.",
      "tokens",
      "rate_limit_exceeded"
    ),
    class: "QuotaExhausted",
    wait: 864
  },
  {
    id: "gr-over",
    status: 503,
    body: openai(
      "llama-3.3-70b is currently over capacity. Please try again and back off exponentially.",
      "internal_server_error",
      null
    ),
    class: "Overloaded"
  },
  {
    id: "gr-decom",
    status: 400,
    body: openai(
      "The model `llama3-8b` has been decommissioned and is no longer supported.",
      "invalid_request_error",
      "model_decommissioned"
    ),
    class: "ModelNotFound"
  },
  {
    id: "gr-restricted",
    status: 400,
    body: openai(
      "Organization has been restricted. Please reach out to support if you believe this was in error.",
      "invalid_request_error",
      "organization_restricted"
    ),
    class: "Forbidden"
  },
  {
    id: "m-429-capacity",
    status: 429,
    body: {
      object: "error",
      message: "Service tier capacity exceeded for this model.",
      type: "invalid_request_error",
      param: null,
      code: "3505"
    },
    class: "Overloaded"
  },
  { id: "m-401", status: 401, body: { message: "Unauthorized", request_id: "abc" }, class: "Unauthorized" },
  {
    id: "m-422",
    status: 422,
    body: {
      detail: [{
        type: "extra_forbidden",
        loc: ["body", "modalities"],
        msg: "Extra inputs are not permitted",
        input: ["image"]
      }]
    },
    class: "InvalidRequest"
  },
  {
    id: "m-invalid-model",
    status: 400,
    body: { object: "error", message: "Invalid model: pixtral-9", type: "invalid_model", param: null, code: "1500" },
    class: "ModelNotFound"
  },
  {
    id: "co-trial",
    status: 429,
    body: {
      message:
        "You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key."
    },
    class: "QuotaExhausted"
  },
  {
    id: "co-trial-minute",
    status: 429,
    body: { message: "You are using a Trial key, which is limited to 20 API calls / minute." },
    class: "RateLimited"
  },
  {
    id: "t-429",
    status: 429,
    body: {
      error: {
        message:
          "You have reached the rate limit specific to this model black-forest-labs/FLUX.1. The maximum rate limit for this model is 6.0 queries per minute.",
        type: "model_rate_limit",
        code: null
      }
    },
    class: "RateLimited"
  },
  {
    id: "t-422-nsfw",
    status: 422,
    body: {
      error: { message: "NSFW content detected in the image", type: "invalid_request_error", code: "nsfw_content" }
    },
    class: "ContentBlocked"
  },
  {
    id: "t-402",
    status: 402,
    body: {
      error: {
        message: "Credit limit exceeded, please navigate to the billing page to add a credit card.",
        type: "credit_limit",
        code: null
      }
    },
    class: "QuotaExhausted"
  },
  {
    id: "t-unavailable-model",
    status: 400,
    body: {
      error: {
        message:
          "Unable to access non-serverless model X. Please visit the site to create and start a new dedicated endpoint for the model.",
        type: "invalid_request_error",
        code: "model_not_available"
      }
    },
    class: "ModelNotFound"
  },
  {
    id: "f-412",
    status: 412,
    body: {
      error: {
        code: "PRECONDITION_FAILED",
        message:
          "Account acme is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices."
      }
    },
    class: "QuotaExhausted",
    alt: ["Forbidden"]
  },
  {
    id: "f-404",
    status: 404,
    body: {
      error: {
        object: "error",
        type: "invalid_request_error",
        code: "NOT_FOUND",
        message: "Model not found, inaccessible, and/or not deployed"
      }
    },
    class: "ModelNotFound"
  },
  {
    id: "rep-402",
    status: 402,
    body: {
      title: "Insufficient credit",
      detail: "You have insufficient credit to run this model. Go to billing to purchase credit.",
      status: 402
    },
    class: "QuotaExhausted"
  },
  {
    id: "rep-429",
    status: 429,
    body: {
      title: "Request was throttled",
      detail: "Request was throttled. Your rate limit resets in ~8s.",
      status: 429,
      retry_after: 8
    },
    class: "RateLimited",
    wait: 8
  },
  {
    id: "rep-nsfw",
    status: 200,
    body: {
      id: "p1",
      status: "failed",
      error: "NSFW content detected. Try running it again, or try a different prompt.",
      output: null
    },
    class: "ContentBlocked"
  },
  {
    id: "rep-cuda",
    status: 200,
    body: { id: "p2", status: "failed", error: "CUDA out of memory. Tried to allocate 2.00 GiB", output: null },
    class: "Transient",
    alt: ["Overloaded"]
  },
  {
    id: "rep-e005",
    status: 200,
    body: {
      id: "p3",
      status: "failed",
      error: "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
    },
    class: "ContentBlocked"
  },
  {
    id: "rep-director",
    status: 200,
    body: { id: "p4", status: "failed", error: "Director: unexpected error handling prediction (E6716)" },
    class: "Transient"
  },
  {
    id: "rep-service",
    body: "Service is temporarily unavailable due to high demand. Please try again later. (E003)",
    class: "Overloaded"
  },
  {
    id: "fal-422",
    status: 422,
    headers: { "x-fal-retryable": "false" },
    body: {
      detail: [{
        loc: ["body", "prompt"],
        msg: "The content could not be processed because it contained material flagged by a content checker.",
        type: "content_policy_violation"
      }]
    },
    class: "ContentBlocked"
  },
  {
    id: "fal-image",
    status: 422,
    body: {
      detail: [{ loc: ["body", "image_url"], msg: "Failed to download the file.", type: "file_download_error" }]
    },
    class: "InvalidRequest"
  },
  {
    id: "fal-504",
    status: 504,
    body: { detail: "Request timed out", error_type: "request_timeout" },
    class: "Timeout"
  },
  {
    id: "fal-sched",
    status: 503,
    body: { detail: "No runner available", error_type: "runner_scheduling_failure" },
    class: "Overloaded"
  },
  {
    id: "fal-balance",
    status: 403,
    body: { detail: "User is locked. Reason: Exhausted balance. Top up your balance at the billing page." },
    class: "QuotaExhausted"
  },
  {
    id: "fal-down",
    status: 500,
    body: { detail: [{ loc: ["body"], msg: "Downstream service error", type: "downstream_service_error" }] },
    class: "Transient"
  },
  {
    id: "st-402",
    status: 402,
    body: {
      id: "1",
      name: "payment_required",
      errors: ["You lack sufficient credits to make this request. Please purchase more credits."]
    },
    class: "QuotaExhausted"
  },
  {
    id: "st-403",
    status: 403,
    body: {
      id: "1",
      name: "content_moderation",
      errors: [
        "Your request was flagged by our content moderation system, as a result your request was denied and you were not charged."
      ]
    },
    class: "ContentBlocked"
  },
  {
    id: "st-400",
    status: 400,
    body: { id: "1", name: "bad_request", errors: ["cfg_scale: must be between 0 and 35"] },
    class: "InvalidRequest"
  },
  {
    id: "st-429",
    status: 429,
    body: {
      id: "1",
      name: "rate_limit_exceeded",
      errors: [
        "You have exceeded the rate limit of 150 requests within a 10 second period, and have been timed out for 60 seconds."
      ]
    },
    class: "RateLimited"
  },
  {
    id: "hf-loading",
    status: 503,
    body: { error: "Model stabilityai/sdxl is currently loading", estimated_time: 32.5 },
    class: "Overloaded",
    wait: 32.5
  },
  {
    id: "hf-credits",
    status: 402,
    body: {
      error: "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get more."
    },
    class: "QuotaExhausted"
  },
  {
    id: "hf-gated",
    status: 403,
    body: {
      error: "Model is too large to load onto the serverless tier and you do not have access to the gated repository."
    },
    class: "Forbidden",
    alt: ["ModelNotFound", "InvalidRequest"]
  },
  {
    id: "nv-529",
    status: 503,
    body: {
      status: 503,
      title: "Service Unavailable",
      detail: "ResourceExhausted: Worker local total request limit reached (33/32)"
    },
    class: "Overloaded",
    alt: ["RateLimited"]
  },
  {
    id: "ollama",
    status: 404,
    body: { error: "model \"llava\" not found, try pulling it first" },
    class: "ModelNotFound"
  },
  {
    id: "vllm",
    status: 500,
    body: {
      object: "error",
      message: "EngineCore encountered an issue. See stack trace for the root cause.",
      type: "InternalServerError",
      param: null,
      code: 500
    },
    class: "Transient"
  },
  {
    id: "cf-ai",
    status: 429,
    body: {
      success: false,
      errors: [{ code: 3040, message: "Capacity temporarily exceeded, please try again." }],
      result: {}
    },
    class: "Overloaded"
  },
  {
    id: "cf-ai-neurons",
    status: 429,
    body: {
      success: false,
      errors: [{ code: 4006, message: "you have used up your daily free allocation of 10,000 neurons" }]
    },
    class: "QuotaExhausted"
  }
]

/** DashScope, Ark, Zhipu, Moonshot, DeepSeek, MiniMax, SiliconFlow, Qianfan, Hunyuan and others. */
const chinese: ReadonlyArray<Fixture> = [
  {
    id: "ds-rate",
    status: 429,
    body: {
      code: "Throttling.RateQuota",
      message: "Requests rate limit exceeded, please try again later.",
      request_id: "1"
    },
    class: "RateLimited"
  },
  {
    id: "ds-alloc",
    status: 429,
    body: {
      code: "Throttling.AllocationQuota",
      message: "Allocated quota exceeded, please increase your quota limit."
    },
    class: "RateLimited",
    alt: ["QuotaExhausted"]
  },
  {
    id: "ds-free-only",
    status: 403,
    body: openai(
      "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the \"use free tier only\" mode in the management console.",
      "AllocationQuota.FreeTierOnly",
      "AllocationQuota.FreeTierOnly"
    ),
    class: "QuotaExhausted"
  },
  {
    id: "ds-inspect",
    status: 400,
    body: openai("Output data may contain inappropriate content.", "data_inspection_failed", "data_inspection_failed"),
    class: "ContentBlocked"
  },
  {
    id: "ds-key",
    status: 401,
    body: { code: "InvalidApiKey", message: "Invalid API-key provided." },
    class: "Unauthorized"
  },
  {
    id: "ds-model",
    status: 404,
    body: openai(
      "The model `qwen-image-9` does not exist or you do not have access to it.",
      "invalid_request_error",
      "model_not_found"
    ),
    class: "ModelNotFound"
  },
  {
    id: "ds-unpurchased",
    status: 403,
    body: {
      code: "AccessDenied.Unpurchased",
      message: "Access to model denied. Please make sure you are eligible for using the model."
    },
    class: "Forbidden"
  },
  {
    id: "ds-task",
    status: 200,
    body: {
      request_id: "r",
      output: { task_id: "t", task_status: "FAILED", code: "InternalError.Algo", message: "inference internal error" }
    },
    class: "Transient"
  },
  {
    id: "ds-task-inspect",
    status: 200,
    body: {
      request_id: "r",
      output: {
        task_id: "t",
        task_status: "FAILED",
        code: "DataInspectionFailed",
        message: "Input data may contain inappropriate content."
      }
    },
    class: "ContentBlocked"
  },
  {
    id: "ds-serving",
    status: 503,
    body: { code: "ModelServiceFailed", message: "Failed to request model service." },
    class: "Overloaded",
    alt: ["Transient"]
  },
  {
    id: "ds-timeout",
    status: 500,
    body: { code: "RequestTimeOut", message: "Request timed out, please try again later." },
    class: "Timeout"
  },
  {
    id: "ds-param",
    status: 400,
    body: { code: "InvalidParameter", message: "size must be in 1024*1024, 720*1280, 1280*720" },
    class: "InvalidRequest"
  },
  {
    id: "ds-url",
    status: 400,
    body: {
      code: "InvalidParameter.DataInspection",
      message: "Unable to download the media resource during the data inspection process."
    },
    class: "InvalidRequest"
  },
  {
    id: "ark-rpm",
    status: 429,
    body: {
      error: {
        code: "ModelAccountRpmRateLimitExceeded",
        message: "The requests per minute limit for model m of the account has been exceeded.",
        type: "TooManyRequests"
      }
    },
    class: "RateLimited"
  },
  {
    id: "ark-overload",
    status: 429,
    body: {
      error: {
        code: "ServerOverloaded",
        message: "The service is currently unable to handle additional requests due to server overload.",
        type: "TooManyRequests"
      }
    },
    class: "Overloaded"
  },
  {
    id: "ark-trial",
    status: 429,
    body: {
      error: {
        code: "QuotaExceeded",
        message: "Your account 1 has exhausted its free trial quota for the doubao-seedream model.",
        type: "TooManyRequests"
      }
    },
    class: "QuotaExhausted"
  },
  {
    id: "ark-set-limit",
    status: 429,
    body: {
      error: {
        code: "SetLimitExceeded",
        message:
          "Your account has reached the set inference limit for the model, and the model service has been paused.",
        type: "TooManyRequests"
      }
    },
    class: "QuotaExhausted"
  },
  {
    id: "ark-not-open",
    status: 404,
    body: {
      error: {
        code: "ModelNotOpen",
        message:
          "Your account 1 has not activated the model doubao-seedream. Please activate the model service in the Ark Console.",
        type: "NotFound"
      }
    },
    class: "ModelNotFound",
    alt: ["Forbidden"]
  },
  {
    id: "ark-out-image",
    status: 400,
    body: {
      error: {
        code: "OutputImageSensitiveContentDetected",
        message: "The request failed because the output image may contain sensitive information.",
        type: "BadRequest"
      }
    },
    class: "ContentBlocked"
  },
  {
    id: "ark-500",
    status: 500,
    body: {
      error: {
        code: "InternalServiceError",
        message: "The service encountered an unexpected internal error.",
        type: "InternalServerError"
      }
    },
    class: "Transient"
  },
  {
    id: "ark-auth",
    status: 401,
    body: {
      error: {
        code: "AuthenticationError",
        message: "The API key or AK/SK in the request is missing or invalid.",
        type: "Unauthorized"
      }
    },
    class: "Unauthorized"
  },
  {
    id: "z-1301",
    status: 400,
    body: {
      contentFilter: [{ level: 1, role: "user" }],
      error: {
        code: "1301",
        message: "系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语，感谢您的配合。"
      }
    },
    class: "ContentBlocked"
  },
  {
    id: "z-1305",
    status: 429,
    body: { error: { code: "1305", message: "该模型当前访问量过大，请您稍后再试" } },
    class: "Overloaded"
  },
  {
    id: "z-1308",
    status: 429,
    body: { error: { code: "1308", message: "已达到 5 小时的使用上限。您的限额将在 2026-11-24 03:13:32 重置。" } },
    class: "QuotaExhausted"
  },
  {
    id: "z-1211",
    status: 400,
    body: { error: { code: "1211", message: "模型不存在，请检查模型代码。" } },
    class: "ModelNotFound"
  },
  {
    id: "z-1002",
    status: 401,
    body: { error: { code: "1002", message: "Authorization Token非法，请确认Authorization Token正确传递。" } },
    class: "Unauthorized"
  },
  {
    id: "z-1210",
    status: 400,
    body: { error: { code: "1210", message: "API 调用参数有误，请检查文档。" } },
    class: "InvalidRequest"
  },
  {
    id: "z-1234",
    status: 500,
    body: { error: { code: "1234", message: "网络错误，错误id：2026，请联系客服。" } },
    class: "Transient"
  },
  {
    id: "k-balance",
    status: 429,
    body: {
      error: {
        message: "Your account org-1<ak-1> is suspended, please check your plan and billing details",
        type: "exceeded_current_quota_error"
      }
    },
    class: "QuotaExhausted"
  },
  {
    id: "k-401",
    status: 401,
    body: { error: { message: "Invalid Authentication", type: "invalid_authentication_error" } },
    class: "Unauthorized"
  },
  {
    id: "k-404",
    status: 404,
    body: { error: { message: "Not found the model kimi-9 or Permission denied", type: "resource_not_found_error" } },
    class: "ModelNotFound"
  },
  {
    id: "k-filter",
    status: 400,
    body: {
      error: { message: "The request was rejected because it was considered high risk", type: "content_filter" }
    },
    class: "ContentBlocked"
  },
  {
    id: "k-tokens",
    status: 400,
    body: {
      error: {
        message: "Invalid request: Your request exceeded model token limit: 131072",
        type: "invalid_request_error"
      }
    },
    class: "InvalidRequest"
  },
  {
    id: "dp-402",
    status: 402,
    body: openai("Insufficient Balance", "unknown_error", "invalid_request_error"),
    class: "QuotaExhausted"
  },
  {
    id: "dp-503",
    status: 503,
    body: openai(
      "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.",
      "service_unavailable_error",
      null
    ),
    class: "Overloaded"
  },
  {
    id: "dp-401",
    status: 401,
    body: openai(
      "Authentication Fails, Your api key: ****1234 is invalid",
      "authentication_error",
      "invalid_request_error"
    ),
    class: "Unauthorized"
  },
  {
    id: "dp-risk",
    status: 400,
    body: openai("Content Exists Risk", "invalid_request_error", "invalid_request_error"),
    class: "ContentBlocked"
  },
  {
    id: "mm-1002",
    status: 200,
    body: { id: "x", data: null, base_resp: { status_code: 1002, status_msg: "rate limit exceeded(RPM)" } },
    class: "RateLimited"
  },
  {
    id: "mm-1008",
    status: 200,
    body: { base_resp: { status_code: 1008, status_msg: "insufficient balance" } },
    class: "QuotaExhausted"
  },
  {
    id: "mm-1026",
    status: 200,
    body: { data: {}, base_resp: { status_code: 1026, status_msg: "input new_sensitive" } },
    class: "ContentBlocked"
  },
  {
    id: "mm-1004",
    status: 200,
    body: {
      base_resp: {
        status_code: 1004,
        status_msg: "login fail: Please carry the API secret key in the 'Authorization' field of the request header"
      }
    },
    class: "Unauthorized"
  },
  {
    id: "mm-2013",
    status: 200,
    body: { base_resp: { status_code: 2013, status_msg: "invalid params, aspect_ratio" } },
    class: "InvalidRequest"
  },
  {
    id: "mm-1000",
    status: 200,
    body: { base_resp: { status_code: 1000, status_msg: "unknown error" } },
    class: "Transient"
  },
  {
    id: "mm-2056",
    status: 200,
    body: { base_resp: { status_code: 2056, status_msg: "usage limit exceeded, 5-hour usage limit" } },
    class: "QuotaExhausted"
  },
  {
    id: "sf-busy",
    status: 503,
    body: { code: 50505, message: "Model service overloaded. Please try again later.", data: null },
    class: "Overloaded"
  },
  {
    id: "sf-busy-short",
    status: 503,
    body: { code: 50603, message: "System is really busy. Please try again later.", data: null },
    class: "Overloaded"
  },
  {
    id: "sf-balance",
    status: 403,
    body: { code: 30001, message: "Sorry, your account balance is insufficient", data: null },
    class: "QuotaExhausted"
  },
  {
    id: "sf-model",
    status: 400,
    body: { code: 20012, message: "Model does not exist. Please check it carefully.", data: null },
    class: "ModelNotFound"
  },
  {
    id: "sf-rpm",
    status: 429,
    body: "Request was rejected due to rate limiting. Details: IPM limit reached.",
    class: "RateLimited"
  },
  {
    id: "sf-disabled",
    status: 403,
    body: { code: 30003, message: "Model disabled.", data: null },
    class: "ModelNotFound",
    alt: ["Forbidden"]
  },
  { id: "sf-token", status: 401, body: "\"Invalid token\"", class: "Unauthorized" },
  {
    id: "qf-336501",
    status: 429,
    body: { error_code: 336501, error_msg: "Rate limit reached for RPM" },
    class: "RateLimited"
  },
  {
    id: "qf-17",
    status: 200,
    body: { error_code: 17, error_msg: "Open api daily request limit reached" },
    class: "QuotaExhausted"
  },
  {
    id: "qf-18",
    status: 200,
    body: { error_code: 18, error_msg: "Open api qps request limit reached" },
    class: "RateLimited"
  },
  {
    id: "qf-110",
    status: 200,
    body: { error_code: 110, error_msg: "Access token invalid or no longer valid" },
    class: "Unauthorized"
  },
  {
    id: "hy-audit",
    status: 200,
    body: {
      Response: {
        Error: { Code: "OperationDenied.TextIllegalDetected", Message: "文本包含违法违规信息，审核不通过。" },
        RequestId: "r"
      }
    },
    class: "ContentBlocked"
  },
  {
    id: "hy-limit",
    status: 200,
    body: {
      Response: {
        Error: { Code: "RequestLimitExceeded.JobNumExceed", Message: "同时处理的任务数过多，请稍后重试。" },
        RequestId: "r"
      }
    },
    class: "RateLimited",
    alt: ["Overloaded"]
  },
  {
    id: "hy-arrears",
    status: 200,
    body: { Response: { Error: { Code: "ResourceUnavailable.InArrears", Message: "账号已欠费。" }, RequestId: "r" } },
    class: "QuotaExhausted"
  },
  {
    id: "hy-sign",
    status: 200,
    body: { Response: { Error: { Code: "AuthFailure.SignatureFailure", Message: "签名错误。" }, RequestId: "r" } },
    class: "Unauthorized"
  },
  {
    id: "xh-421",
    status: 421,
    body: { error: { message: "Content moderation failed", type: "content_filter", code: "421" } },
    class: "ContentBlocked"
  },
  {
    id: "step-451",
    status: 451,
    body: {
      error: { message: "The content you provided or machine outputted is blocked.", type: "censorship_blocked" }
    },
    class: "ContentBlocked"
  }
]

/** one-api, new-api and their forks, sub2api, LiteLLM, CLIProxyAPI and other relays. */
const relays: ReadonlyArray<Fixture> = [
  {
    id: "n-quota",
    status: 403,
    body: openai("用户额度不足, 剩余额度: ＄0.012000 (request id: 2026)", "new_api_error", "insufficient_user_quota"),
    class: "QuotaExhausted"
  },
  {
    id: "n-token-quota",
    status: 403,
    body: openai("该令牌额度已用尽 TokenStatusExhausted[sk-abc***def] (request id: 2026)", "new_api_error", ""),
    class: "QuotaExhausted"
  },
  {
    id: "n-token-expired",
    status: 401,
    body: openai("该令牌已过期 (request id: 2026)", "new_api_error", ""),
    class: "Unauthorized"
  },
  {
    id: "n-token-invalid",
    status: 401,
    body: openai("无效的令牌 (request id: 2026)", "new_api_error", ""),
    class: "Unauthorized"
  },
  {
    id: "n-token-model",
    status: 403,
    body: openai("该令牌无权访问模型 gemini-3-pro-image-preview (request id: 2026)", "new_api_error", ""),
    class: "Forbidden",
    alt: ["ModelNotFound"]
  },
  { id: "n-group", status: 403, body: openai("无权访问 vip 分组", "new_api_error", ""), class: "Forbidden" },
  {
    id: "n-no-channel",
    status: 503,
    body: openai(
      "分组 default 下模型 nano-banana-9 无可用渠道（distributor） (request id: 2026)",
      "new_api_error",
      "model_not_found"
    ),
    class: "ModelNotFound",
    alt: ["Overloaded"]
  },
  {
    id: "n-no-channel-old",
    status: 503,
    body: openai("当前分组 default 下对于模型 nano-banana 无可用渠道 (request id: 2026)", "one_api_error", null),
    class: "ModelNotFound",
    alt: ["Overloaded"]
  },
  {
    id: "n-saturated",
    status: 429,
    body: openai("当前分组上游负载已饱和，请稍后再试 (request id: 2026)", "new_api_error", "429"),
    class: "Overloaded"
  },
  {
    id: "n-saturated-quota",
    status: 429,
    body: openai("当前分组上游负载已饱和，请稍后再试 (request id: 2026)", "insufficient_quota", "insufficient_quota"),
    class: "QuotaExhausted"
  },
  {
    id: "n-do-request",
    status: 500,
    body: openai(
      "do request failed: Post \"https://upstream.example/v1\": dial tcp 10.0.0.1:443: connect: connection refused",
      "new_api_error",
      "do_request_failed"
    ),
    class: "Transient"
  },
  {
    id: "n-do-request-timeout",
    status: 500,
    body: openai(
      "do request failed: Post \"https://upstream.example/v1\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
      "new_api_error",
      "do_request_failed"
    ),
    class: "Timeout",
    alt: ["Transient"]
  },
  {
    id: "n-bad-status",
    status: 502,
    body: openai("bad response status code 502 (request id: 2026)", "upstream_error", "bad_response_status_code"),
    class: "Transient"
  },
  {
    id: "n-bad-status-429",
    status: 429,
    body: openai("bad response status code 429", "upstream_error", "bad_response_status_code"),
    class: "RateLimited",
    alt: ["Overloaded"]
  },
  {
    id: "n-bad-body",
    status: 500,
    body: openai("invalid character '<' looking for beginning of value", "new_api_error", "bad_response_body"),
    class: "Malformed"
  },
  {
    id: "n-sensitive",
    status: 400,
    body: openai("sensitive words detected: xx (request id: 2026)", "new_api_error", "sensitive_words_detected"),
    class: "ContentBlocked"
  },
  {
    id: "n-prompt-blocked",
    status: 400,
    body: openai("request blocked by Gemini API: PROHIBITED_CONTENT", "new_api_error", "prompt_blocked"),
    class: "ContentBlocked"
  },
  {
    id: "n-empty",
    status: 500,
    body: openai("empty response from Gemini API", "new_api_error", "empty_response"),
    class: "EmptyResult"
  },
  {
    id: "n-price",
    status: 500,
    body: openai("模型 abc 倍率或价格未配置，请联系管理员设置", "new_api_error", "model_price_error"),
    class: "ModelNotFound",
    alt: ["InvalidRequest", "Forbidden", "Transient"]
  },
  {
    id: "n-rate-user",
    status: 429,
    body: openai(
      "您已达到总请求数限制：1分钟内最多请求60次，包括失败次数，请检查您的请求是否正确",
      "new_api_error",
      ""
    ),
    class: "RateLimited"
  },
  { id: "n-banned", status: 403, body: openai("用户已被封禁", "new_api_error", ""), class: "Forbidden" },
  {
    id: "n-ip",
    status: 403,
    body: openai("您的 IP 不在令牌允许访问的列表中", "new_api_error", ""),
    class: "Forbidden"
  },
  {
    id: "n-html",
    status: 200,
    body:
      "<!doctype html><html lang=\"zh\"><head><title>New API</title></head><body><div id=\"root\"></div></body></html>",
    class: "Malformed"
  },
  {
    id: "s2-no-accounts",
    status: 503,
    body: { error: { type: "api_error", message: "No available accounts: no available OpenAI accounts" } },
    class: "Overloaded"
  },
  {
    id: "s2-upstream",
    status: 502,
    body: { error: { type: "upstream_error", message: "Upstream request failed" } },
    class: "Transient"
  },
  {
    id: "s2-concurrency",
    status: 429,
    body: { error: { type: "rate_limit_error", message: "Concurrency limit exceeded for user, please retry later" } },
    class: "RateLimited"
  },
  {
    id: "s2-balance",
    status: 403,
    body: { code: "INSUFFICIENT_BALANCE", message: "Insufficient account balance" },
    class: "QuotaExhausted"
  },
  {
    id: "li-rate",
    body:
      "litellm.RateLimitError: VertexAIException - {\"error\":{\"code\":429,\"message\":\"Resource exhausted. Please try again later.\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
    class: "Overloaded",
    alt: ["RateLimited"]
  },
  {
    id: "li-budget",
    status: 400,
    body: {
      error: {
        message: "Budget has been exceeded! Current cost: 10.2, Max budget: 10.0",
        type: "budget_exceeded",
        param: null,
        code: "400"
      }
    },
    class: "QuotaExhausted"
  },
  {
    id: "li-notfound",
    status: 400,
    body: {
      error: {
        message:
          "/chat/completions: Invalid model name passed in model=foo. Call `/v1/models` to view available models for your key.",
        type: "None",
        param: "None",
        code: "400"
      }
    },
    class: "ModelNotFound"
  },
  {
    id: "li-cooldown",
    status: 429,
    body: {
      error: {
        message:
          "No deployments available for selected model, Try again in 5 seconds. Passed model=nano. pre-call-checks=False, cooldown_list=['a']",
        type: "None",
        code: "429"
      }
    },
    class: "Overloaded",
    alt: ["RateLimited"],
    wait: 5
  },
  {
    id: "li-conn",
    body: "litellm.APIConnectionError: GeminiException - Server disconnected without sending a response.",
    class: "Transient"
  },
  {
    id: "li-timeout",
    body: "litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out.",
    class: "Timeout"
  },
  {
    id: "li-auth",
    body:
      "litellm.AuthenticationError: geminiException - {\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API key.\",\"status\":\"INVALID_ARGUMENT\"}}",
    class: "Unauthorized"
  },
  {
    id: "gb-keys",
    status: 500,
    body: { error: { code: "internal_error", message: "All API keys failed" } },
    class: "Transient",
    alt: ["Overloaded", "RateLimited", "Unauthorized"]
  },
  {
    id: "cx-shared",
    status: 429,
    body: { error: { message: "上游服务繁忙，图片生成排队人数过多，请30秒后重试", type: "api_error" } },
    class: "Overloaded",
    wait: 30
  },
  {
    id: "cx-fail",
    status: 500,
    body: { code: 500, msg: "生成图片失败，请检查提示词是否违规" },
    class: "ContentBlocked",
    alt: ["Transient"]
  },
  { id: "cx-points", status: 200, body: { code: -1, msg: "积分不足，请充值", data: null }, class: "QuotaExhausted" },
  {
    id: "cx-task-timeout",
    status: 200,
    body: { code: 0, data: { status: "FAILURE", fail_reason: "任务超时，已退款" } },
    class: "Timeout"
  },
  {
    id: "cx-maintenance",
    status: 503,
    body: { message: "系统维护中，请稍后再试" },
    class: "Overloaded",
    alt: ["Transient"]
  },
  {
    id: "grs-500",
    status: 200,
    body: { id: "1", status: "failed", failure_reason: "output_moderation", error: "google gemini output moderation" },
    class: "ContentBlocked"
  },
  {
    id: "grs-error",
    status: 200,
    body: { id: "1", status: "failed", failure_reason: "error", error: "google gemini timeout..." },
    class: "Timeout"
  }
]

/** Proxies and networks. */
const networks: ReadonlyArray<Fixture> = [
  {
    id: "h-502",
    status: 502,
    body:
      "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>",
    class: "Transient"
  },
  {
    id: "h-504",
    body:
      "<html><head><title>504 Gateway Time-out</title></head><body><center><h1>504 Gateway Time-out</h1></center><hr><center>openresty</center></body></html>",
    class: "Timeout"
  },
  {
    id: "h-503",
    status: 503,
    body:
      "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>",
    class: "Overloaded"
  },
  {
    id: "h-413",
    status: 413,
    body:
      "<html><head><title>413 Request Entity Too Large</title></head><body><center><h1>413 Request Entity Too Large</h1></center></body></html>",
    class: "InvalidRequest"
  },
  { id: "h-404", status: 404, body: "404 page not found", class: "ModelNotFound", alt: ["InvalidRequest"] },
  { id: "h-cf-520", status: 520, body: "error code: 520", class: "Transient" },
  {
    id: "h-cf-522",
    status: 522,
    body:
      "<!DOCTYPE html><html><head><title>relay.example | 522: Connection timed out</title></head><body>Error code 522</body></html>",
    class: "Transient",
    alt: ["Timeout"]
  },
  { id: "h-cf-1015", status: 429, body: "error code: 1015", class: "RateLimited" },
  {
    id: "h-cf-1020",
    status: 403,
    body:
      "<!DOCTYPE html><html><head><title>Access denied | relay.example used Cloudflare to restrict access</title></head><body>Error 1020</body></html>",
    class: "Forbidden"
  },
  {
    id: "h-cf-524",
    body: "<html><head><title>relay.example | 524: A timeout occurred</title></head><body></body></html>",
    class: "Timeout"
  },
  {
    id: "w-refused",
    body:
      "TypeError: fetch failed\n  [cause]: Error: connect ECONNREFUSED 127.0.0.1:7890\n      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)",
    class: "Transient"
  },
  {
    id: "w-reset",
    body:
      "Error: read ECONNRESET\n    at TLSWrap.onStreamRead (node:internal/stream_base_commons:217:20) { errno: -104, code: 'ECONNRESET', syscall: 'read' }",
    class: "Transient"
  },
  { id: "w-dns", body: "getaddrinfo ENOTFOUND generativelanguage.googleapis.com", class: "Transient" },
  { id: "w-again", body: "httpx.ConnectError: [Errno -3] Temporary failure in name resolution", class: "Transient" },
  {
    id: "w-headers",
    body:
      "TypeError: fetch failed { [cause]: HeadersTimeoutError: Headers Timeout Error { code: 'UND_ERR_HEADERS_TIMEOUT' } }",
    class: "Timeout"
  },
  {
    id: "w-body",
    body: "TypeError: terminated [cause]: BodyTimeoutError: Body Timeout Error code: 'UND_ERR_BODY_TIMEOUT'",
    class: "Timeout"
  },
  {
    id: "w-socket",
    body: "TypeError: terminated\n  [cause]: SocketError: other side closed\n  code: 'UND_ERR_SOCKET'",
    class: "Transient"
  },
  {
    id: "w-read",
    body:
      "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='relay.example', port=443): Read timed out. (read timeout=60)",
    class: "Timeout"
  },
  { id: "w-httpx-read", body: "httpx.ReadTimeout: The read operation timed out", class: "Timeout" },
  {
    id: "w-httpx-remote",
    body:
      "httpx.RemoteProtocolError: peer closed connection without sending complete message body (incomplete chunked read)",
    class: "Transient"
  },
  {
    id: "w-remote",
    body:
      "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
    class: "Transient"
  },
  {
    id: "w-ssl-eof",
    body:
      "SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1007)'))",
    class: "Transient"
  },
  {
    id: "w-ssl-verify",
    body:
      "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)",
    class: "InvalidRequest",
    alt: ["Transient"]
  },
  {
    id: "w-aiohttp",
    body: "aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected",
    class: "Transient"
  },
  {
    id: "w-aiohttp-payload",
    body: "aiohttp.client_exceptions.ClientPayloadError: Response payload is not completed",
    class: "Transient"
  },
  {
    id: "w-aiohttp-connect",
    body: "Cannot connect to host relay.example:443 ssl:default [Connect call failed ('1.2.3.4', 443)]",
    class: "Transient"
  },
  { id: "w-asyncio", body: "asyncio.exceptions.TimeoutError", class: "Timeout" },
  {
    id: "w-go-dns",
    body: "Post \"https://relay.example/v1/chat/completions\": dial tcp: lookup relay.example: no such host",
    class: "Transient"
  },
  {
    id: "w-go-timeout",
    body: "Post \"https://relay.example/v1\": net/http: TLS handshake timeout",
    class: "Timeout",
    alt: ["Transient"]
  },
  { id: "w-go-eof", body: "Post \"https://relay.example/v1\": unexpected EOF", class: "Transient" },
  { id: "w-go-deadline", body: "context deadline exceeded", class: "Timeout" },
  { id: "w-go-http2", body: "stream error: stream ID 7; INTERNAL_ERROR; received from peer", class: "Transient" },
  { id: "w-java", body: "java.net.SocketTimeoutException: timeout", class: "Timeout" },
  {
    id: "w-java-host",
    body:
      "java.net.UnknownHostException: Unable to resolve host \"relay.example\": No address associated with hostname",
    class: "Transient"
  },
  { id: "w-java-reset", body: "java.net.SocketException: Connection reset", class: "Transient" },
  {
    id: "w-curl-28",
    body: "curl: (28) Operation timed out after 120001 milliseconds with 0 bytes received",
    class: "Timeout"
  },
  { id: "w-curl-56", body: "curl: (56) OpenSSL SSL_read: Connection reset by peer, errno 104", class: "Transient" },
  { id: "w-curl-6", body: "cURL error 6: Could not resolve host: relay.example", class: "Transient" },
  {
    id: "w-rust",
    body:
      "reqwest::Error { kind: Request, url: \"https://relay.example/\", source: hyper_util::client::legacy::Error(Connect, ConnectError(\"tcp connect error\", Os { code: 61, kind: ConnectionRefused, message: \"Connection refused\" })) }",
    class: "Transient"
  },
  {
    id: "w-rust-body",
    body: "stream disconnected before completion: error decoding response body",
    class: "Transient",
    alt: ["Malformed"]
  },
  {
    id: "w-rust-timeout",
    body: "error sending request for url (https://relay.example/): operation timed out",
    class: "Timeout"
  },
  { id: "w-firefox", body: "TypeError: NetworkError when attempting to fetch resource.", class: "Transient" },
  { id: "w-chrome", body: "TypeError: Failed to fetch", class: "Transient" },
  { id: "w-chrome-net", body: "net::ERR_CONNECTION_CLOSED", class: "Transient" },
  { id: "w-axios", body: "AxiosError: timeout of 60000ms exceeded", class: "Timeout" },
  { id: "w-axios-stream", body: "AxiosError: stream has been aborted", class: "Transient", alt: ["Timeout"] },
  {
    id: "w-abort",
    body: "DOMException [AbortError]: This operation was aborted",
    class: "Timeout",
    alt: ["Transient"]
  },
  {
    id: "w-abort-timeout",
    body: "DOMException [TimeoutError]: The operation was aborted due to timeout",
    class: "Timeout"
  },
  {
    id: "w-bun",
    body: "error: Unable to connect. Is the computer able to access the url?\n code: \"ConnectionRefused\"",
    class: "Transient"
  },
  {
    id: "w-bun-closed",
    body:
      "The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()",
    class: "Transient"
  },
  {
    id: "w-deno",
    body:
      "error sending request from 127.0.0.1:53122 for https://relay.example/ (1.2.3.4:443): client error (SendRequest): connection closed before message completed",
    class: "Transient"
  },
  { id: "w-openai-conn", body: "openai.APIConnectionError: Connection error.", class: "Transient" },
  { id: "w-openai-timeout", body: "openai.APITimeoutError: Request timed out.", class: "Timeout" },
  {
    id: "w-proxy",
    body:
      "ProxyError('Unable to connect to proxy', NewConnectionError('Failed to establish a new connection: [WinError 10061]'))",
    class: "Transient"
  },
  { id: "w-cn-net", body: "网络连接失败，请检查网络设置后重试", class: "Transient" },
  { id: "w-cn-timeout", body: "请求超时，图片生成时间过长", class: "Timeout" }
]

/** Clients and applications that wrap one of the above. */
const wrapped: ReadonlyArray<Fixture> = [
  { id: "c-aisdk-noimage", body: "AI_NoImageGeneratedError: No image generated.", class: "EmptyResult" },
  {
    id: "c-aisdk-type",
    body:
      "AI_TypeValidationError: Type validation failed: Value: {\"id\":\"x\",\"object\":\"chat.completion\"}. Error message: [{\"code\":\"invalid_type\",\"expected\":\"array\"}]",
    class: "Malformed"
  },
  {
    id: "c-aisdk-overload",
    body: "AI_RetryError: Failed after 3 attempts. Last error: The model is overloaded. Please try again later.",
    class: "Overloaded"
  },
  {
    id: "c-langchain",
    body:
      "langchain_google_genai.chat_models.ChatGoogleGenerativeAIError: Invalid argument provided to Gemini: 400 API key not valid. Please pass a valid API key. [reason: \"API_KEY_INVALID\"]",
    class: "Unauthorized"
  },
  {
    id: "c-langchain-retry",
    body:
      "Retrying langchain_google_genai.chat_models._chat_with_retry in 2.0 seconds as it raised ResourceExhausted: 429 Resource has been exhausted (e.g. check quota)..",
    class: "RateLimited",
    alt: ["Overloaded", "QuotaExhausted"]
  },
  {
    id: "c-dify",
    body:
      "[google] Server Unavailable Error, 503 UNAVAILABLE. {'error': {'code': 503, 'message': 'The model is overloaded. Please try again later.', 'status': 'UNAVAILABLE'}}",
    class: "Overloaded"
  },
  {
    id: "c-dify-rate",
    body:
      "PluginInvokeError: {\"args\":{},\"error_type\":\"InvokeRateLimitError\",\"message\":\"[openai] Rate Limit Error, Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'type': 'insufficient_quota', 'param': None, 'code': 'insufficient_quota'}}\"}",
    class: "QuotaExhausted"
  },
  {
    id: "c-n8n",
    body:
      "The service is receiving too many requests from you\nYou exceeded your current quota, please check your plan and billing details",
    class: "QuotaExhausted",
    alt: ["RateLimited"]
  },
  {
    id: "c-n8n-bad",
    body: "Bad request - please check your parameters: Request contains an invalid argument.",
    class: "InvalidRequest"
  },
  {
    id: "c-comfy",
    body: "Gemini API Error: No image was generated. The model may have refused the request or returned only text.",
    class: "EmptyResult",
    alt: ["ContentBlocked"]
  },
  {
    id: "c-comfy-credits",
    body: "Exception: Unauthorized: Please login first to use this node.",
    class: "Unauthorized"
  },
  {
    id: "c-comfy-pay",
    body: "Exception: Payment Required: Please add credits to your account to use this node.",
    class: "QuotaExhausted"
  },
  {
    id: "c-cli-429",
    body:
      "✕ [API Error: Please submit a new query to continue with the Flash model.\nPossible quota limitations in place or slow response times detected. Switching to the gemini-2.5-flash model for the rest of this session.]\n[API Error: Quota exceeded for quota metric 'Gemini 2.5 Pro Requests' and limit 'Gemini 2.5 Pro Requests per day per user per tier' of service 'cloudcode-pa.googleapis.com']",
    class: "QuotaExhausted"
  },
  {
    id: "c-cli-minute",
    body:
      "[API Error: Quota exceeded for quota metric 'Generate Content API requests per minute' and limit 'GenerateContent request limit per minute for a region' of service 'generativelanguage.googleapis.com']",
    class: "RateLimited"
  },
  { id: "c-cherry", body: "Error: 503 status code (no body)", class: "Overloaded" },
  { id: "c-cherry-401", body: "401 status code (no body)", class: "Unauthorized" },
  {
    id: "c-lobe",
    body: json({
      error: {
        error: { code: 400, message: "User location is not supported for the API use.", status: "FAILED_PRECONDITION" }
      },
      errorType: "LocationNotSupportError",
      provider: "google"
    }),
    class: "Forbidden"
  },
  {
    id: "c-lobe-biz",
    body: json({
      errorType: "ProviderBizError",
      body: { error: { message: "[GoogleGenerativeAI Error]: Candidate was blocked due to PROHIBITED_CONTENT" } }
    }),
    class: "ContentBlocked"
  },
  {
    id: "c-oldsdk-response",
    body: "[GoogleGenerativeAI Error]: Text not available. Response was blocked due to OTHER",
    class: "ContentBlocked"
  },
  {
    id: "c-py-blocked",
    body:
      "google.generativeai.types.generation_types.BlockedPromptException: block_reason: SAFETY safety_ratings { category: HARM_CATEGORY_SEXUALLY_EXPLICIT probability: HIGH }",
    class: "ContentBlocked"
  },
  {
    id: "c-spring",
    body:
      "org.springframework.web.client.HttpClientErrorException$TooManyRequests: 429 Too Many Requests: \"{\"error\":{\"message\":\"Rate limit reached\",\"type\":\"requests\"}}\"",
    class: "RateLimited"
  },
  {
    id: "c-dart",
    body:
      "GenerativeAIException: Server Error [503]: {\"error\":{\"code\":503,\"message\":\"The model is overloaded. Please try again later.\",\"status\":\"UNAVAILABLE\"}}",
    class: "Overloaded"
  },
  {
    id: "c-php",
    body:
      "Server error: `POST https://generativelanguage.googleapis.com/v1beta/models/x:generateContent` resulted in a `500 Internal Server Error` response:\n{\"error\":{\"code\":500,\"message\":\"An internal error has occurred.",
    class: "Transient"
  },
  {
    id: "c-rust-go",
    body:
      "error, status code: 401, status: 401 Unauthorized, message: invalid character 'U' looking for beginning of value, body: Unauthorized",
    class: "Unauthorized"
  },
  { id: "c-app-cn", body: "生成失败：未返回图片数据", class: "EmptyResult" },
  { id: "c-app-parse", body: "SyntaxError: Unexpected end of JSON input", class: "Malformed" },
  {
    id: "c-app-pydantic",
    body: "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    class: "Malformed"
  },
  {
    id: "c-app-keyerror",
    body: "KeyError: 'candidates' - no candidates in the response",
    class: "EmptyResult",
    alt: ["Malformed"]
  },
  { id: "c-webui", body: "{\"detail\":\"[ERROR: 429: Rate limit exceeded, please slow down]\"}", class: "RateLimited" },
  { id: "c-mcp", body: "MCP error -32001: Request timed out", class: "Timeout" },
  { id: "c-empty", status: 200, body: "", class: "EmptyResult", alt: ["Malformed"] },
  { id: "c-words", status: 200, body: "Here's the picture you asked for: a fox in the snow.", class: "EmptyResult" },
  {
    id: "c-refusal",
    status: 200,
    body: {
      choices: [{
        finish_reason: "stop",
        message: {
          role: "assistant",
          content: "I'm sorry, but I can't create that image because it would violate the content policy."
        }
      }]
    },
    class: "ContentBlocked",
    alt: ["EmptyResult"]
  },
  { id: "c-null", status: 200, body: "null", class: "EmptyResult", alt: ["Malformed"] },
  {
    id: "c-claude-sse",
    status: 200,
    streamed: true,
    body:
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"stop_reason\":null}}\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"Internal server error\"}}\n\n",
    class: "Transient"
  },
  {
    id: "c-cut",
    status: 200,
    streamed: true,
    body: "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"![image](data:image/png;base64,iVBOR",
    class: "Transient",
    alt: ["Malformed"]
  },
  {
    id: "c-anthropic-credit",
    status: 400,
    body:
      "400 {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is too low to access the API.\"}}",
    class: "QuotaExhausted"
  },
  {
    id: "c-retry-loop",
    body: "Attempt 3 failed with 429. Retrying in 8 seconds... Error: Too Many Requests",
    class: "RateLimited"
  },
  {
    id: "c-http-date",
    status: 503,
    headers: { "retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", date: "Tue, 24 Nov 2026 10:00:00 GMT" },
    body: "Service Unavailable",
    class: "Overloaded",
    wait: 30
  },
  {
    id: "c-reset-requests",
    status: 429,
    headers: {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-remaining-tokens": "900",
      "x-ratelimit-reset-tokens": "2s"
    },
    body: openai("Rate limit reached", "requests", "rate_limit_exceeded"),
    class: "RateLimited",
    wait: 360
  }
]

/** All of them. */
export const fixtures: ReadonlyArray<Fixture> = [
  ...google,
  ...openAi,
  ...western,
  ...hosts,
  ...chinese,
  ...relays,
  ...networks,
  ...wrapped
]
