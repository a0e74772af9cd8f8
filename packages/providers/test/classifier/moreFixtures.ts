/**
 * More payloads in our own words, after the shapes that providers, relays and clients write: single sentences without
 * a status, wrappers within wrappers, answers without content. Labelled before the classifier saw them.
 */
import type { Fixture } from "./fixtures.js"

const more: ReadonlyArray<Omit<Fixture, "id">> = [
  { status: 504, class: "Timeout", body: "upstream request timeout" },
  { status: 503, class: "Overloaded", alt: ["Transient"], body: "no healthy upstream" },
  { status: 502, class: "Transient", body: "An invalid response was received from the upstream server" },
  {
    status: 504,
    class: "Timeout",
    body: "An error occurred with your deployment\n\nFUNCTION_INVOCATION_TIMEOUT\n\niad1::abc"
  },
  { class: "Transient", alt: ["Overloaded"], body: "Error: 14 UNAVAILABLE: Connection dropped" },
  {
    class: "Transient",
    alt: ["Overloaded"],
    body: "14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 142.250.1.1:443"
  },
  { class: "Timeout", body: "Error: 4 DEADLINE_EXCEEDED: Deadline exceeded after 60.002s" },
  { class: "Overloaded", body: "rpc error: code = Unavailable desc = the model is overloaded" },
  {
    status: 500,
    class: "EmptyResult",
    alt: ["Transient"],
    body: { error: { message: "上游返回内容为空", type: "new_api_error", code: "empty" } }
  },
  { status: 401, class: "Unauthorized", body: { error: { message: "Token验证失败", type: "new_api_error" } } },
  { status: 400, class: "ModelNotFound", body: { error: { message: "该模型已下线，请更换模型", type: "api_error" } } },
  {
    status: 503,
    class: "Overloaded",
    body: { error: { message: "system cpu overloaded (current: 95.0%, threshold: 90%)", type: "new_api_error" } }
  },
  {
    status: 429,
    class: "Overloaded",
    body: { error: { message: "当前模型负载较高，请稍后重试", type: "rate_limit" } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: { error: { message: "未能生成图片，可能触发了谷歌的安全策略，请修改提示词", type: "api_error" } }
  },
  { status: 200, class: "ContentBlocked", body: { code: 500, message: "提示词或参考图违规，请更换后重试" } },
  {
    status: 400,
    class: "ContentBlocked",
    body: {
      error: {
        code: 400,
        message: "Request contains an invalid argument.",
        status: "INVALID_ARGUMENT",
        details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "PUBLIC_ERROR_UNSAFE_GENERATION" }]
      }
    }
  },
  {
    status: 400,
    class: "ContentBlocked",
    body: {
      error: {
        code: 400,
        message: "Request contains an invalid argument.",
        status: "INVALID_ARGUMENT",
        details: [{
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "PUBLIC_ERROR_PROMINENT_PEOPLE_FILTER_FAILED"
        }]
      }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    body: {
      error: {
        code: 429,
        message: "Resource has been exhausted (e.g. check quota).",
        status: "RESOURCE_EXHAUSTED",
        details: [{
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "PUBLIC_ERROR_USER_REQUESTS_THROTTLED"
        }]
      }
    }
  },
  {
    status: 403,
    class: "Forbidden",
    body: { error: { code: 403, message: "reCAPTCHA evaluation failed", status: "PERMISSION_DENIED" } }
  },
  {
    status: 422,
    class: "ContentBlocked",
    body: { error: "Prompt provided failed safety check due to the inclusion of prohibited content." }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: {
      id: "1",
      status: "Request Moderated",
      result: null,
      progress: null,
      details: { "Moderation Reasons": ["Protected Content"] }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    body: { code: 1303, message: "parallel task over resource pack limit", request_id: "1" }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { code: 1102, message: "Account balance not enough", request_id: "1" }
  },
  {
    status: 400,
    class: "ContentBlocked",
    body: { code: 1301, message: "Failure to pass the risk control system", request_id: "1" }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: { code: 24, description: "可能包含敏感词", properties: { bannedWord: "x" } }
  },
  { status: 200, class: "Overloaded", body: { code: 23, description: "队列已满，请稍后尝试", properties: {} } },
  {
    status: 400,
    class: "ContentBlocked",
    body: { code: 50411, data: null, message: "Pre Img Risk Not Pass", status: 50411 }
  },
  {
    status: 429,
    class: "RateLimited",
    body: { code: 50430, data: null, message: "Request Has Reached API Limit, Please Try Later", status: 50430 }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: { header: { code: 10013, message: "input content audit error", sid: "x", status: 2 } }
  },
  {
    status: 200,
    class: "EmptyResult",
    alt: ["ContentBlocked"],
    body: {
      candidates: [{
        finishReason: "IMAGE_OTHER",
        finishMessage:
          "Unable to show the generated image. The model could not generate the image based on the prompt provided. You will not be charged for this request. Try rephrasing the prompt."
      }]
    }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: {
      id: "r",
      object: "response",
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output: []
    }
  },
  {
    status: 200,
    class: "EmptyResult",
    body: {
      id: "r",
      object: "response",
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: []
    }
  },
  {
    status: 200,
    class: "ContentBlocked",
    alt: ["EmptyResult"],
    body: {
      candidates: [{
        content: {
          parts: [{
            text: "I'm sorry, I cannot fulfil this request since depicting that violates my safety guidelines."
          }]
        },
        finishReason: "STOP"
      }]
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "Image size must be at most 10MB", type: "image_size_error" } }
  },
  { class: "InvalidRequest", body: "413 Request Entity Too Large" },
  {
    status: 402,
    class: "QuotaExhausted",
    body: { error: { code: "credits_exhausted", message: "You have 0 credits left" } }
  },
  { status: 400, class: "QuotaExhausted", body: { detail: "Insufficient credits: need 40, have 12" } },
  { status: 403, class: "Unauthorized", alt: ["Forbidden"], body: { detail: "Invalid token" } },
  { status: 403, class: "Unauthorized", alt: ["Forbidden"], body: { detail: "Not authenticated" } },
  { status: 200, class: "Unauthorized", body: { code: 401, msg: "apikey错误", data: null } },
  { status: 200, class: "QuotaExhausted", body: { code: -1, msg: "apikey credits not enough", data: null } },
  { status: 404, class: "ModelNotFound", alt: ["InvalidRequest"], body: { detail: "Not Found" } },
  { status: 405, class: "InvalidRequest", body: { detail: "Method Not Allowed" } },
  {
    status: 404,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: { message: "no Route matched with those values" }
  },
  {
    status: 500,
    class: "Overloaded",
    body: { error: { message: "The model is currently unavailable due to capacity constraints", type: "server_error" } }
  },
  {
    status: 429,
    class: "Overloaded",
    body: { error: { code: "429", message: "The server is busy. Please retry later." } }
  },
  {
    status: 429,
    class: "RateLimited",
    wait: 23,
    body: {
      error: {
        code: "RateLimitReached",
        message: "Rate limit of 1 per 60s exceeded for UserConcurrentRequests. Please wait 23 seconds before retrying."
      }
    }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    wait: 41000,
    body: {
      error: {
        code: "RateLimitReached",
        message: "Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 41000 seconds before retrying."
      }
    }
  },
  { class: "RateLimited", body: "Too many requests, please try again later." },
  {
    status: 429,
    class: "RateLimited",
    wait: 90,
    body: { error: { message: "Rate limit exceeded. Please try again in 1 minute 30 seconds.", code: "rate_limit" } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    wait: 18000,
    body: {
      error: {
        message: "You have reached your daily limit of 100 image generations. Limit resets in 5 hours.",
        code: "limit"
      }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    wait: 42,
    body: { error: "Request was throttled. Expected available in 42 seconds." }
  },
  {
    status: 429,
    class: "RateLimited",
    wait: 0.02,
    body: {
      error: {
        message: "Try again in 20ms. Rate limit reached for requests",
        type: "requests",
        code: "rate_limit_exceeded"
      }
    }
  },
  {
    class: "Timeout",
    body:
      "HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /v1 (Caused by ConnectTimeoutError(<conn>, 'Connection to x timed out. (connect timeout=30)'))"
  },
  {
    class: "Transient",
    body:
      "HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /v1 (Caused by NewConnectionError('<conn>: Failed to establish a new connection: [Errno 111] Connection refused'))"
  },
  {
    class: "Transient",
    body:
      "HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /v1 (Caused by SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)')))"
  },
  { class: "Timeout", body: "java.net.http.HttpTimeoutException: request timed out" },
  { class: "Transient", body: "okhttp3.internal.http2.StreamResetException: stream was reset: CANCEL" },
  { class: "Transient", body: "org.apache.http.NoHttpResponseException: x.example:443 failed to respond" },
  { class: "Transient", body: "javax.net.ssl.SSLHandshakeException: Remote host terminated the handshake" },
  {
    class: "InvalidRequest",
    alt: ["Transient"],
    body:
      "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path to requested target"
  },
  {
    class: "Timeout",
    body:
      "Get \"https://x\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"
  },
  { class: "Transient", body: "read tcp 10.0.0.2:5555->1.2.3.4:443: read: connection reset by peer" },
  { class: "Transient", body: "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR" },
  { class: "Transient", body: "aiohttp.client_exceptions.ClientOSError: [Errno 104] Connection reset by peer" },
  {
    class: "Transient",
    body:
      "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host x:443 ssl:default [Name or service not known]"
  },
  { class: "Timeout", body: "aiohttp.client_exceptions.SocketTimeoutError: Timeout on reading data from socket" },
  { class: "Transient", body: "http.client.IncompleteRead: IncompleteRead(0 bytes read)" },
  { class: "Transient", body: "TypeError: Load failed" },
  { class: "Transient", body: "Network request failed" },
  { class: "Transient", body: "XMLHttpRequest error." },
  {
    class: "Transient",
    body:
      "ClientException with SocketException: Failed host lookup: 'x.example' (OS Error: nodename nor servname provided, or not known, errno = 8)"
  },
  { class: "Timeout", body: "TimeoutException after 0:01:00.000000: Future not completed" },
  { class: "Transient", body: "The underlying connection was closed: An unexpected error occurred on a send." },
  {
    class: "Timeout",
    body:
      "System.Threading.Tasks.TaskCanceledException: The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing."
  },
  {
    class: "Transient",
    body:
      "System.Net.Http.HttpRequestException: An error occurred while sending the request. ---> System.IO.IOException: The response ended prematurely."
  },
  { class: "Timeout", body: "NSURLErrorDomain Code=-1001 \"The request timed out.\"" },
  { class: "Transient", body: "Error Domain=NSURLErrorDomain Code=-1005 \"The network connection was lost.\"" },
  { class: "Transient", body: "cURL error 52: Empty reply from server" },
  { class: "Timeout", body: "cURL error 28: Operation timed out after 30001 milliseconds with 0 bytes received" },
  { class: "Malformed", body: "Error parsing JSON response: invalid character '<' looking for beginning of value" },
  { class: "Malformed", body: "Unexpected non-whitespace character after JSON at position 4" },
  {
    status: 200,
    class: "Malformed",
    alt: ["InvalidRequest"],
    body: "Failed to deserialize the JSON body into the target type"
  },
  {
    status: 422,
    class: "InvalidRequest",
    body:
      "Failed to deserialize the JSON body into the target type: messages[0]: unknown variant `image_url`, expected `text` at line 1 column 500"
  },
  {
    status: 200,
    class: "Malformed",
    body: "<!DOCTYPE html><html><head><title>Login</title></head><body>Sign in</body></html>"
  },
  { class: "Malformed", body: "Response content-type is text/html, expected application/json" },
  { status: 200, class: "EmptyResult", body: { data: [{ url: "" }], created: 1 } },
  {
    status: 502,
    class: "EmptyResult",
    body: { error: { message: "Model returned an empty response", type: "upstream_error" } }
  },
  { status: 502, class: "Transient", body: { error: { message: "Upstream stream error", type: "server_error" } } },
  { status: 500, class: "Transient", body: { error: { message: "Provider returned error", code: 500 } } },
  { status: 529, class: "Overloaded", body: { error: { message: "Provider returned error", code: 529 } } },
  { status: 503, class: "Overloaded", body: { detail: "Service Unavailable" } },
  { class: "Transient", alt: ["Overloaded"], body: "Prediction interrupted; please retry (code: PA)" },
  {
    status: 429,
    class: "RateLimited",
    alt: ["QuotaExhausted"],
    wait: 300,
    body: { detail: "You have exceeded your GPU quota (60s requested vs. 10s left). Try again in 0:05:00" }
  },
  {
    status: 401,
    class: "Unauthorized",
    body: {
      error: {
        message: "Your authentication token is not from a valid issuer.",
        type: "invalid_request_error",
        code: "invalid_issuer"
      }
    }
  },
  {
    status: 401,
    class: "Unauthorized",
    body: { error: { message: "Your session has ended. Please log in again.", code: "app_session_terminated" } }
  },
  {
    status: 403,
    class: "Forbidden",
    body: { error: { message: "This model is only available to paying users.", type: "forbidden" } }
  },
  { status: 403, class: "Forbidden", body: { error: { message: "该模型仅限VIP用户使用", type: "forbidden" } } },
  {
    status: 403,
    class: "Forbidden",
    body: "Your client does not have permission to get URL /v1beta/models from this server. That's all we know."
  },
  {
    status: 403,
    class: "Forbidden",
    body:
      "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>"
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        message:
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        type: "invalid_request_error",
        param: "max_tokens",
        code: "unsupported_parameter"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        message: "Invalid image file or mode for image 1, please check your image file.",
        type: "image_generation_user_error",
        param: "image",
        code: "invalid_image_file"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: {
      error: { message: "The model `gpt-image-1` does not support 'response_format'", type: "invalid_request_error" }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        message: "Invalid 'n': integer above maximum value. Expected a value <= 10, but got 20 instead.",
        type: "invalid_request_error",
        param: "n",
        code: "integer_above_max_value"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        code: 400,
        message: "Image generation is not available for this aspect ratio",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { code: 400, message: "Multi-modal output is not supported.", status: "INVALID_ARGUMENT" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { code: 400, message: "The document has no pages.", status: "INVALID_ARGUMENT" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        code: 400,
        message:
          "Cannot fetch content from the provided URL. Please ensure the URL is valid and accessible by Vertex AI.",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 404,
    class: "ModelNotFound",
    body: {
      error: {
        code: 404,
        message:
          "Publisher Model `projects/p/locations/us-central1/publishers/google/models/gemini-3-pro-image` not found.",
        status: "NOT_FOUND"
      }
    }
  },
  {
    status: 400,
    class: "ModelNotFound",
    body: { error: { message: "Unknown model: nano-banana-ultra", type: "invalid_request_error" } }
  },
  {
    status: 400,
    class: "ModelNotFound",
    body: { error: { message: "当前 API 不支持所选模型 nano-banana", type: "api_error" } }
  },
  { class: "Timeout", body: "任务超时" },
  { class: "Timeout", body: "生成超时，请稍后重试" },
  { class: "Timeout", body: "image generation timed out after 300s" },
  { class: "Transient", body: "上游服务异常，请稍后重试" },
  { class: "Transient", body: "服务器内部错误" },
  { class: "Overloaded", body: "服务器繁忙，请稍后再试" },
  { class: "Overloaded", body: "当前使用人数过多，请稍后再试" },
  { class: "Overloaded", body: "资源不足，请稍后再试" },
  { class: "Overloaded", body: "系统繁忙" },
  { class: "RateLimited", body: "请求过于频繁，请稍后再试" },
  { class: "RateLimited", body: "并发数超限" },
  { class: "RateLimited", body: "触发限流" },
  { class: "RateLimited", body: "您的请求频率过快" },
  { class: "RateLimited", body: "当前并发请求数已达上限" },
  { class: "QuotaExhausted", body: "余额不足，请充值" },
  { class: "QuotaExhausted", body: "今日额度已用完" },
  { class: "QuotaExhausted", body: "您的套餐次数已用完" },
  { class: "QuotaExhausted", body: "账户欠费" },
  { class: "QuotaExhausted", body: "API Key 额度不足" },
  { class: "QuotaExhausted", body: "账户积分不足" },
  { class: "QuotaExhausted", body: "本月用量已达上限" },
  { class: "Unauthorized", body: "API密钥无效" },
  { class: "Unauthorized", body: "无效的API Key" },
  { class: "Unauthorized", body: "未提供令牌" },
  { class: "Unauthorized", body: "apikey不存在" },
  { class: "Unauthorized", body: "请先登录" },
  { class: "Unauthorized", body: "Token已失效" },
  { class: "Forbidden", body: "没有权限访问该资源" },
  { class: "Forbidden", body: "您的账户已被封禁" },
  { class: "Forbidden", body: "当前地区不支持" },
  { class: "Forbidden", alt: ["ModelNotFound"], body: "该分组无权使用此模型" },
  { class: "Forbidden", body: "IP不在白名单内" },
  { class: "ModelNotFound", body: "模型不存在" },
  { class: "ModelNotFound", body: "不支持的模型" },
  { class: "ModelNotFound", body: "模型已下架" },
  { class: "ModelNotFound", body: "该渠道不支持此模型" },
  { class: "ContentBlocked", body: "内容违规" },
  { class: "ContentBlocked", body: "图片包含敏感内容" },
  { class: "ContentBlocked", body: "提示词触发安全策略" },
  { class: "ContentBlocked", body: "内容审核未通过" },
  { class: "ContentBlocked", body: "生成的图片未通过安全审核" },
  { class: "ContentBlocked", body: "输入包含违禁词" },
  { class: "InvalidRequest", body: "参数错误" },
  { class: "InvalidRequest", body: "图片格式不支持" },
  { class: "InvalidRequest", body: "提示词不能为空" },
  { class: "InvalidRequest", body: "图片大小超过限制" },
  { class: "InvalidRequest", body: "缺少必要参数 prompt" },
  { class: "InvalidRequest", body: "不支持的图片尺寸" },
  { class: "InvalidRequest", body: "请求参数无效" },
  { class: "EmptyResult", body: "未生成图片" },
  { class: "EmptyResult", body: "返回结果为空" },
  { class: "EmptyResult", body: "没有获取到图片数据" },
  { class: "EmptyResult", body: "模型返回空内容" },
  { class: "Transient", body: "网络异常" },
  { class: "Transient", body: "连接被重置" },
  { class: "Transient", body: "上游连接失败" },
  { class: "Malformed", body: "解析响应失败" },
  { class: "Malformed", body: "返回数据格式错误" },
  { class: "EmptyResult", body: "No image data found in response" },
  { class: "EmptyResult", body: "Gemini did not return any image" },
  { class: "EmptyResult", body: "The response did not contain an image part." },
  { class: "EmptyResult", body: "No candidates returned" },
  { class: "EmptyResult", body: "empty image response" },
  { class: "EmptyResult", body: "No image content in response, text: Sure, here" },
  { class: "EmptyResult", body: "Image generation returned no result" },
  { class: "EmptyResult", body: "IndexError: list index out of range - response.candidates is empty" },
  { class: "EmptyResult", alt: ["Malformed"], body: "Cannot read properties of undefined (reading 'parts')" },
  { class: "Malformed", alt: ["EmptyResult"], body: "'NoneType' object is not subscriptable" },
  { class: "EmptyResult", alt: ["Malformed"], body: "AttributeError: 'NoneType' object has no attribute 'parts'" },
  { class: "ContentBlocked", body: "Image generation was blocked by the safety filter: IMAGE_SAFETY" },
  { class: "ContentBlocked", body: "The prompt was blocked. Reason: PROHIBITED_CONTENT" },
  { class: "ContentBlocked", body: "Finish reason: SAFETY" },
  { class: "ContentBlocked", body: "candidate blocked: RECITATION" },
  {
    status: 200,
    class: "ContentBlocked",
    alt: ["EmptyResult"],
    body: "Sorry, I can't help with creating images of that person"
  },
  {
    status: 400,
    class: "ContentBlocked",
    body: { error: { message: "Your prompt may contain text that is not allowed", code: "content_policy" } }
  },
  { status: 500, class: "Overloaded", body: "We're experiencing exceptionally high load, please retry" },
  { class: "Overloaded", body: "Model is at capacity" },
  { class: "Overloaded", body: "Not enough GPU resources available" },
  { class: "Overloaded", body: "No GPUs available right now" },
  { class: "Overloaded", body: "Sorry, our servers are currently experiencing issues due to heavy usage" },
  { class: "Overloaded", alt: ["Timeout"], body: "Model too busy, unable to get response in less than 60 second(s)" },
  { class: "Overloaded", body: "The request queue is full" },
  { class: "Overloaded", body: "Waiting queue limit reached" },
  { class: "Overloaded", body: "server_error: capacity" },
  { class: "Overloaded", body: "The upstream service is saturated" },
  { status: 503, class: "Overloaded", body: { error: { message: "Cannot schedule request: all replicas busy" } } },
  { status: 503, class: "Overloaded", body: "Service temporarily unavailable" },
  { status: 502, class: "Transient", alt: ["Overloaded"], body: "Service temporarily unavailable" },
  {
    status: 500,
    class: "Overloaded",
    body: {
      error: {
        message:
          "Upstream error from Google: {\"error\":{\"code\":503,\"message\":\"The service is currently unavailable.\",\"status\":\"UNAVAILABLE\"}}",
        type: "upstream_error",
        code: "upstream_error"
      }
    }
  },
  {
    status: 500,
    class: "Unauthorized",
    body: {
      error: {
        message:
          "[{\n  \"error\": {\n    \"code\": 400,\n    \"message\": \"API key expired. Please renew the API key.\",\n    \"status\": \"INVALID_ARGUMENT\",\n    \"details\": [{\"@type\": \"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\": \"API_KEY_INVALID\"}]}}]",
        type: "upstream_error",
        code: 400
      }
    }
  },
  {
    class: "QuotaExhausted",
    body:
      "API Error: 429 {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Usage limit reached for 5 hour. Your limit will reset at 2025-12-02 05:42:36\"}}"
  },
  {
    class: "QuotaExhausted",
    body: "Error code: 429 - {'error': {'code': '1113', 'message': '余额不足或无可用资源包,请充值。'}}"
  },
  {
    class: "RateLimited",
    alt: ["Overloaded"],
    body: "Error code: 429 - {'error': {'code': '1305', 'message': '当前API请求过多，请稍后重试。'}}"
  },
  {
    class: "Overloaded",
    body: "Error code: 429 - {'error': {'code': '1312', 'message': '该模型当前访问量过大，请您稍后再试或使用其他模型'}}"
  },
  { class: "RateLimited", body: "Error code: 429 - {'error': {'code': '1303', 'message': '当前API使用频率过高'}}" },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { code: "1304", message: "该API已达今日调用次数限额，如有更多需求，请联系客服购买" } }
  },
  { status: 401, class: "Forbidden", body: { error: { code: "1112", message: "您的账户已被锁定，请联系客服解锁" } } },
  {
    status: 500,
    class: "Transient",
    body: { error: { code: "500", message: "Internal network failure, error id: 2024" } }
  },
  {
    status: 429,
    class: "RateLimited",
    body: { error: { message: "Rate limit reached. Limit: 3 req/min", type: "rate_limit_reached_error" } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: {
      error: {
        message: "You exceeded your current token quota: 1 <ak-x>, please check your account balance",
        type: "exceeded_current_quota_error"
      }
    }
  },
  {
    status: 403,
    class: "Forbidden",
    body: { error: { message: "The API you are accessing is not open", type: "permission_denied_error" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "Invalid request: unsupported image format", type: "invalid_request_error" } }
  },
  {
    status: 429,
    class: "RateLimited",
    body: {
      error: {
        message: "Requests rate limit exceeded, please try again later. ",
        id: "x",
        type: "limit_requests",
        param: null,
        code: "limit_requests"
      }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    body: {
      error: {
        message:
          "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.",
        type: "limit_burst_rate",
        code: "limit_burst_rate"
      }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    alt: ["QuotaExhausted"],
    body: {
      error: {
        message: "You have exceeded your current request limit. For details, see: https://help.aliyun.com/",
        type: "insufficient_quota",
        code: "insufficient_quota"
      }
    }
  },
  {
    status: 500,
    class: "Overloaded",
    alt: ["Transient"],
    body: {
      error: {
        message:
          "<503> InternalError.Algo: An error occurred in model serving, error message is: [Request rejected by inference engine!]",
        type: "internal_error",
        code: "internal_error"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        message: "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
        type: "invalid_request_error",
        code: "invalid_parameter_error"
      }
    }
  },
  {
    status: 403,
    class: "Forbidden",
    body: { error: { message: "Access denied.", type: "access_denied", code: "access_denied" } }
  },
  { status: 404, class: "ModelNotFound", body: { code: "ModelNotFound", message: "Model not exist." } },
  {
    status: 400,
    class: "ContentBlocked",
    body: { code: "IPInfringementSuspect", message: "Input data is suspected of being involved in IP infringement." }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { code: "PrepaidBillOverdue", message: "The prepaid bill is overdue." }
  },
  {
    status: 402,
    class: "QuotaExhausted",
    body: { code: "InsufficientBalance", message: "the account balance is insufficient" }
  },
  { status: 429, class: "RateLimited", body: { code: 429, message: "TPM limit reached.", data: null } },
  {
    status: 403,
    class: "RateLimited",
    alt: ["RateLimited"],
    body: {
      message:
        "Request was rejected due to rate limiting. If you want more, please contact us. Details:RPM limit reached. Please complete identity verification to lift the restriction.",
      code: 50603
    }
  },
  {
    status: 403,
    class: "QuotaExhausted",
    body: { code: 30011, message: "Sorry, your account does not have enough paid balance for this model", data: null }
  },
  { status: 500, class: "Transient", body: { code: 60000, message: "Unknown error", data: null } },
  { status: 503, class: "Overloaded", body: { code: 50501, message: "Service temporarily unavailable", data: null } },
  {
    status: 400,
    class: "ContentBlocked",
    body: { code: 20031, message: "The prompt contains sensitive content", data: null }
  },
  {
    status: 429,
    class: "RateLimited",
    body:
      "{\"error\":{\"code\":\"\",\"message\":\"该令牌请求过于频繁，请稍后再试 (request id: 20260101)\",\"type\":\"new_api_error\"}}"
  },
  {
    status: 500,
    class: "Overloaded",
    alt: ["ModelNotFound", "Transient"],
    body:
      "{\"error\":{\"code\":\"get_channel_failed\",\"message\":\"分组 vip 下模型 gemini-3-pro-image 的可用渠道不存在（retry）\",\"type\":\"new_api_error\"}}"
  },
  {
    status: 500,
    class: "Unauthorized",
    alt: ["Transient"],
    body: "{\"error\":{\"code\":\"channel:invalid_key\",\"message\":\"无效的渠道密钥\",\"type\":\"new_api_error\"}}"
  },
  {
    status: 502,
    class: "Transient",
    body:
      "{\"error\":{\"message\":\"openai_error\",\"type\":\"openai_error\",\"param\":\"\",\"code\":\"bad_response_status_code\"}}"
  },
  {
    status: 500,
    class: "Transient",
    body:
      "{\"error\":{\"message\":\"bad response status code 500\",\"type\":\"bad_response_status_code\",\"param\":\"500\",\"code\":\"bad_response_status_code\"}}"
  },
  {
    status: 524,
    class: "Timeout",
    body:
      "{\"error\":{\"message\":\"bad response status code 524\",\"type\":\"upstream_error\",\"param\":\"524\",\"code\":\"bad_response_status_code\"}}"
  },
  {
    status: 400,
    class: "InvalidRequest",
    body:
      "{\"error\":{\"message\":\"field prompt is required\",\"type\":\"new_api_error\",\"param\":\"\",\"code\":\"invalid_request\"}}"
  },
  {
    status: 500,
    class: "InvalidRequest",
    body:
      "{\"error\":{\"message\":\"invalid size, use 1024x1024\",\"type\":\"new_api_error\",\"code\":\"convert_request_failed\"}}"
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: "{\"error\":{\"message\":\"Gemini 拒绝生成：内容可能违反使用政策\",\"type\":\"new_api_error\"}}"
  },
  {
    status: 500,
    class: "EmptyResult",
    body:
      "{\"error\":{\"message\":\"no image found in Gemini response\",\"type\":\"new_api_error\",\"code\":\"empty_response\"}}"
  },
  {
    status: 200,
    class: "EmptyResult",
    body: "{\"error\":{\"message\":\"模型未返回图片，请重试或修改提示词\",\"type\":\"api_error\"}}"
  },
  {
    status: 403,
    class: "QuotaExhausted",
    body:
      "{\"error\":{\"message\":\"预扣费额度失败, 用户[123]剩余额度: ¥0.01, 需要预扣费额度: ¥0.2\",\"type\":\"new_api_error\",\"code\":\"insufficient_user_quota\"}}"
  },
  {
    status: 403,
    class: "QuotaExhausted",
    body:
      "{\"code\":\"insufficient_quota\",\"message\":\"token quota is not enough, token remain quota: ＄0.0001\",\"type\":\"new_api_error\"}"
  },
  {
    status: 503,
    class: "Overloaded",
    body:
      "{\"error\":{\"message\":\"system disk overloaded (current: 96.2%, threshold: 95%)\",\"type\":\"new_api_error\",\"code\":\"system_disk_overloaded\"}}"
  },
  {
    status: 401,
    class: "Unauthorized",
    body: { error: { type: "authentication_error", message: "OAuth authentication is currently not supported." } }
  },
  {
    status: 403,
    class: "Forbidden",
    body: { type: "error", error: { type: "forbidden", message: "Request not allowed" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body:
      "messages.1.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels"
  },
  { class: "QuotaExhausted", body: "Credit balance is too low" },
  {
    class: "QuotaExhausted",
    body:
      "API Error: 400 {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"You're out of extra usage. Add more at claude.ai/settings/usage and keep going.\"}}"
  },
  {
    status: 529,
    class: "Overloaded",
    body: { type: "error", error: { details: null, type: "overloaded_error", message: "Overloaded" }, request_id: "r" }
  },
  {
    class: "RateLimited",
    body:
      "429 {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"This request would exceed the rate limit for your organization of 50,000 input tokens per minute. For details, refer to: https://docs.anthropic.com. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.\"}}"
  },
  {
    class: "InvalidRequest",
    alt: ["QuotaExhausted", "RateLimited"],
    body:
      "429 {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Extra usage is required for long context requests.\"}}"
  },
  {
    class: "QuotaExhausted",
    wait: 274320,
    body: "ERROR: You've hit your usage limit. Upgrade to Pro or try again in 3 days 4 hours 12 minutes."
  },
  { class: "QuotaExhausted", body: "stream error: You've hit your usage limit. Try again at 4:41 PM." },
  { class: "Timeout", alt: ["Transient"], body: "stream disconnected before completion: idle timeout waiting for SSE" },
  {
    class: "Transient",
    body: "stream disconnected before completion: Transport error: network error: error decoding response body"
  },
  {
    class: "Transient",
    alt: ["Overloaded", "Unauthorized"],
    body:
      "unexpected status 500 Internal Server Error: {\"error\":{\"message\":\"auth_unavailable: no auth available\",\"type\":\"server_error\",\"code\":\"internal_server_error\"}}"
  },
  {
    status: 503,
    class: "Overloaded",
    body: "{\"error\":{\"message\":\"auth_unavailable: no auth available\",\"type\":\"server_error\"}}"
  },
  {
    status: 429,
    class: "RateLimited",
    alt: ["Overloaded"],
    wait: 12,
    body:
      "{\"error\":{\"message\":\"All credentials for model gemini-3-pro-image-preview are cooling down\",\"code\":\"model_cooldown\",\"reset_seconds\":12}}"
  },
  {
    status: 502,
    class: "ModelNotFound",
    body:
      "{\"error\":{\"message\":\"unknown provider for model nano-banana\",\"type\":\"server_error\",\"code\":\"internal_server_error\"}}"
  },
  { class: "Transient", body: "Error: Internal error encountered. [500 Internal Server Error]" },
  {
    class: "ModelNotFound",
    body:
      "[GoogleGenerativeAI Error]: Error fetching from https://x/models/gemini-9:generateContent: [404 Not Found] models/gemini-9 is not found for API version v1beta"
  },
  {
    class: "Overloaded",
    body:
      "[GoogleGenerativeAI Error]: Error fetching from https://x: [503 Service Unavailable] The model is overloaded. Please try again later."
  },
  {
    class: "Transient",
    body:
      "[GoogleGenerativeAI Error]: Error fetching from https://x: [500 Internal Server Error] An internal error has occurred. Please retry or report"
  },
  {
    class: "Transient",
    body:
      "[GoogleGenerativeAI Error]: Error fetching from https://generativelanguage.googleapis.com/v1beta/models/x:generateContent: fetch failed"
  },
  {
    class: "InvalidRequest",
    body:
      "[GoogleGenerativeAI Error]: Error fetching from https://x: [400 Bad Request] Invalid JSON payload received. Unknown name \"imageConfig\": Cannot find field. [{\"@type\":\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":[{\"description\":\"Invalid JSON payload\"}]}]"
  },
  {
    class: "Unauthorized",
    body:
      "[GoogleGenerativeAI Error]: Error fetching from https://x: [400 Bad Request] API key not valid. Please pass a valid API key. [{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"API_KEY_INVALID\",\"domain\":\"googleapis.com\",\"metadata\":{\"service\":\"generativelanguage.googleapis.com\"}}]"
  },
  { class: "Malformed", body: "[GoogleGenerativeAI Error]: Failed to parse stream" },
  { class: "Malformed", alt: ["Transient"], body: "Exception: Incomplete JSON segment at the end" },
  { class: "Malformed", body: "Unexpected response type: text/html; charset=utf-8" },
  { class: "EmptyResult", body: "Error: Gemini API returned no candidates. Finish reason: undefined" },
  { class: "ContentBlocked", body: "Error: Gemini returned no image. Finish reason: IMAGE_SAFETY" },
  { class: "EmptyResult", alt: ["ContentBlocked"], body: "Image generation failed. finishReason: NO_IMAGE" },
  { class: "EmptyResult", body: "Image generation failed. finishReason: MAX_TOKENS" },
  {
    class: "EmptyResult",
    body:
      "candidates=[Candidate(content=Content(parts=None, role='model'), finish_reason=<FinishReason.STOP: 'STOP'>, index=0)] usage_metadata=..."
  },
  {
    class: "ContentBlocked",
    body:
      "candidates=None prompt_feedback=GenerateContentResponsePromptFeedback(block_reason=<BlockedReason.PROHIBITED_CONTENT: 'PROHIBITED_CONTENT'>)"
  },
  {
    status: 200,
    class: "EmptyResult",
    body: {
      id: "gen-1",
      choices: [{
        message: { role: "assistant", content: "", images: [] },
        finish_reason: "stop",
        native_finish_reason: "STOP"
      }]
    }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: {
      id: "gen-1",
      choices: [{
        message: { role: "assistant", content: "" },
        finish_reason: "content_filter",
        native_finish_reason: "IMAGE_SAFETY"
      }]
    }
  },
  {
    status: 200,
    class: "EmptyResult",
    body: {
      id: "gen-1",
      choices: [{ message: { role: "assistant", content: null }, finish_reason: null, native_finish_reason: null }]
    }
  },
  { status: 200, class: "EmptyResult", alt: ["Malformed"], body: { choices: [] } },
  {
    status: 200,
    streamed: true,
    class: "Overloaded",
    body:
      "data: {\"error\":{\"message\":\"The model is overloaded\",\"type\":\"server_error\",\"code\":503}}\n\ndata: [DONE]\n\n"
  },
  {
    status: 200,
    streamed: true,
    class: "Transient",
    body:
      "event: error\ndata: {\"type\":\"error\",\"code\":\"ERR_SOMETHING\",\"message\":\"Something went wrong\",\"param\":null}\n\n"
  },
  { status: 200, streamed: true, class: "Transient", alt: ["EmptyResult", "Malformed"], body: ": ping\n\n: ping\n\n" },
  {
    status: 200,
    streamed: true,
    class: "Transient",
    alt: ["EmptyResult", "Malformed"],
    body:
      "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"output\":[]}}\n\n"
  },
  {
    status: 429,
    class: "InvalidRequest",
    body: {
      error: {
        message: "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded"
      }
    }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: {
      error: {
        message: "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        type: "one_api_error",
        param: "",
        code: "1113"
      }
    }
  },
  {
    status: 429,
    class: "InvalidRequest",
    alt: ["Overloaded"],
    body: {
      error: {
        message: "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        type: "invalid_request_error",
        param: "max_tokens",
        code: null
      }
    }
  },
  {
    status: 429,
    class: "Overloaded",
    body: {
      error: {
        message: "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        type: "upstream_error",
        param: "429",
        code: "bad_response_status_code"
      }
    }
  },
  {
    status: 429,
    class: "Overloaded",
    body: {
      error: {
        message: "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        type: "upstream_error",
        param: "",
        code: null
      }
    }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: {
      error: {
        message: "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        type: "exceeded_current_quota_error",
        param: "",
        code: null
      }
    }
  },
  {
    class: "QuotaExhausted",
    wait: 41,
    body:
      "429 You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. [violations {\n  quota_metric: \"generativelanguage.googleapis.com/generate_content_free_tier_requests\"\n  quota_id: \"GenerateRequestsPerDayPerProjectPerModel-FreeTier\"\n  quota_dimensions {\n    key: \"model\"\n    value: \"gemini-2.0-flash-exp\"\n  }\n  quota_dimensions {\n    key: \"location\"\n    value: \"global\"\n  }\n  quota_value: 50\n}\n, links {\n  description: \"Learn more about Gemini API quotas\"\n  url: \"https://ai.google.dev/gemini-api/docs/rate-limits\"\n}\n, retry_delay {\n  seconds: 41\n}\n]"
  },
  {
    class: "RateLimited",
    wait: 12,
    body:
      "429 You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. [violations {\n  quota_metric: \"generativelanguage.googleapis.com/generate_content_free_tier_requests\"\n  quota_id: \"GenerateRequestsPerMinutePerProjectPerModel-FreeTier\"\n  quota_dimensions {\n    key: \"model\"\n    value: \"gemini-2.0-flash-exp\"\n  }\n  quota_dimensions {\n    key: \"location\"\n    value: \"global\"\n  }\n  quota_value: 10\n}\n, links {\n  description: \"Learn more about Gemini API quotas\"\n  url: \"https://ai.google.dev/gemini-api/docs/rate-limits\"\n}\n, retry_delay {\n  seconds: 12\n}\n]"
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: {
      error: {
        code: 429,
        message:
          "Quota exceeded for quota metric 'GenerateContent request' and limit 'GenerateContent request limit per minute for a region'",
        status: "RESOURCE_EXHAUSTED",
        details: [{
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "RATE_LIMIT_EXCEEDED",
          domain: "googleapis.com",
          metadata: {
            quota_limit: "GenerateContentRequestsPerMinutePerProjectPerRegion",
            quota_limit_value: "0",
            consumer: "projects/1"
          }
        }]
      }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    wait: 3.2,
    body: {
      error: {
        code: 429,
        message: "You have exhausted your capacity on this model. Your quota will reset after 3s.",
        status: "RESOURCE_EXHAUSTED",
        details: [{
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "RATE_LIMIT_EXCEEDED",
          domain: "cloudcode-pa.googleapis.com",
          metadata: { quotaResetDelay: "3.2s" }
        }, { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "3.2s" }]
      }
    }
  },
  {
    class: "QuotaExhausted",
    wait: 66001,
    body: "[API Error: You have exhausted your capacity on this model. Your quota will reset after 18h20m1s.]"
  },
  { class: "QuotaExhausted", alt: ["Overloaded"], body: "You have exhausted your capacity on this model." },
  { class: "Overloaded", body: "[API Error: MODEL_CAPACITY_EXHAUSTED]" },
  {
    status: 503,
    class: "Overloaded",
    wait: 7,
    body: {
      error: {
        code: 503,
        message: "Service Unavailable",
        status: "UNAVAILABLE",
        details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: { seconds: 7, nanos: 0 } }]
      }
    }
  },
  {
    status: 429,
    class: "RateLimited",
    alt: ["Forbidden"],
    body:
      "<html><head><title>Sorry...</title></head><body>We're sorry... but your computer or network may be sending automated queries.</body></html>"
  },
  {
    status: 200,
    class: "Transient",
    body: { error: { code: 500, message: "Internal error encountered.", status: "INTERNAL" } }
  },
  {
    status: 403,
    class: "Forbidden",
    body: { error: { code: 403, message: "The caller does not have permission", status: "PERMISSION_DENIED" } }
  },
  {
    status: 403,
    class: "Forbidden",
    body: {
      error: {
        code: 403,
        message: "Generative Language API has not been used in project 1 before or it is disabled.",
        status: "PERMISSION_DENIED"
      }
    }
  },
  {
    status: 400,
    class: "Unauthorized",
    body: {
      error: { code: 400, message: "API Key not found. Please pass a valid API key.", status: "INVALID_ARGUMENT" }
    }
  },
  {
    status: 401,
    class: "Unauthorized",
    body: {
      error: {
        code: 401,
        message:
          "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        status: "UNAUTHENTICATED"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        code: 400,
        message: "* GenerateContentRequest.contents: contents is not specified\n",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { code: 400, message: "Please use a valid role: user, model.", status: "INVALID_ARGUMENT" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: {
      error: {
        code: 400,
        message: "Image generation with 4K size is not supported for this model.",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        code: 400,
        message: "Budget 0 is invalid. This model only works in thinking mode.",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { code: 400, message: "Tool use with function calling is unsupported", status: "INVALID_ARGUMENT" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: {
      error: {
        code: 400,
        message: "The request is not supported by this model: candidateCount must be 1",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { code: 400, message: "Add an image to use the model in editing mode", status: "INVALID_ARGUMENT" } }
  },
  {
    status: 404,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: { error: { code: 404, message: "This model does not support image_size 512", status: "NOT_FOUND" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: {
      error: {
        code: 400,
        message: "Function calling is not enabled for models/gemini-2.5-flash-image",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: {
      error: {
        code: 400,
        message: "JSON mode is not enabled for models/gemini-2.5-flash-image",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        code: 400,
        message: "Developer instruction is not enabled for models/gemma-3",
        status: "INVALID_ARGUMENT"
      }
    }
  },
  {
    status: 400,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: {
      error: { code: 400, message: "Image input modality is not enabled for models/x", status: "INVALID_ARGUMENT" }
    }
  },
  {
    status: 404,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body: { error: { message: "No endpoints found that support image input", code: 404 } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "Input must have at least 1 token.", code: 400 } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      error: {
        message: "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens",
        code: 400
      }
    }
  },
  { status: 401, class: "Unauthorized", body: { error: { message: "Missing Authentication header", code: 401 } } },
  {
    status: 403,
    class: "Forbidden",
    alt: ["ContentBlocked"],
    body: {
      error: {
        message: "The request is prohibited due to a violation of provider Terms Of Service.",
        code: 403,
        metadata: { provider_name: "OpenAI" }
      }
    }
  },
  {
    status: 400,
    class: "ContentBlocked",
    body: {
      error: {
        message: "Input data may contain inappropriate content.",
        code: 400,
        metadata: { raw: "x", provider_name: "Alibaba" }
      }
    }
  },
  { status: 408, class: "Timeout", body: { error: { message: "Timed out waiting for the provider", code: 408 } } },
  {
    status: 503,
    class: "Overloaded",
    body: { error: { message: "No instances available", code: 503, metadata: { provider_name: "X" } } }
  },
  { status: 502, class: "Transient", body: { error: { message: "Network connection lost.", code: 502 } } },
  {
    status: 402,
    class: "QuotaExhausted",
    body: {
      error: {
        message: "This request would exceed your monthly spending limit",
        code: 402,
        metadata: { limit_source: "openrouter_key_limit" }
      }
    }
  },
  {
    status: 402,
    headers: { "Retry-After": "5" },
    class: "RateLimited",
    wait: 5,
    body: {
      error: {
        message: "Too many in-flight requests for your balance",
        code: 402,
        metadata: { limit_source: "openrouter_in_flight_budget" }
      }
    }
  },
  { status: 429, class: "RateLimited", body: { statusCode: 429, message: "ThrottlerException: Too Many Requests" } },
  { status: 401, class: "Unauthorized", body: { statusCode: 401, message: "Unauthorized", error: "x" } },
  {
    status: 400,
    class: "InvalidRequest",
    body: {
      statusCode: 400,
      message: ["prompt should not be empty", "size must be one of the following values"],
      error: "Bad Request"
    }
  },
  {
    status: 500,
    class: "Transient",
    body: { timestamp: "2026-01-01T00:00:00Z", status: 500, error: "Internal Server Error", path: "/v1/images" }
  },
  {
    status: 504,
    class: "Timeout",
    body: { timestamp: "2026-01-01T00:00:00Z", status: 504, error: "Gateway Timeout", path: "/v1/images" }
  },
  {
    status: 502,
    class: "Transient",
    body: { type: "about:blank", title: "Bad Gateway", status: 502, detail: "upstream" }
  },
  {
    status: 403,
    class: "QuotaExhausted",
    body: {
      type: "https://x/problems/out-of-credit",
      title: "You do not have enough credit.",
      detail: "Your current balance is 30, but that costs 50.",
      status: 403
    }
  },
  { status: 502, class: "Transient", body: "{\"message\": \"Internal server error\"}" },
  { status: 504, class: "Timeout", body: "{\"message\": \"Endpoint request timed out\"}" },
  { status: 403, class: "Forbidden", body: "{\"message\":\"Forbidden\"}" },
  { status: 403, class: "Unauthorized", body: "{\"message\":\"Missing Authentication Token\"}" },
  { status: 429, class: "RateLimited", body: "{\"message\":\"Limit Exceeded\"}" },
  {
    status: 429,
    class: "QuotaExhausted",
    body: "{\"message\":\"Limit Exceeded: you have used all of your monthly credits\"}"
  },
  { status: 413, class: "InvalidRequest", body: "{\"message\":\"Request Too Long\"}" },
  {
    status: 403,
    class: "Forbidden",
    body: "{\"Message\":\"User is not authorized to access this resource with an explicit deny\"}"
  },
  {
    status: 403,
    class: "Forbidden",
    body: "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
  },
  {
    status: 404,
    class: "InvalidRequest",
    alt: ["ModelNotFound"],
    body:
      "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
  },
  { class: "Overloaded", body: "Our systems are a bit busy at the moment, please take a break and try again soon." },
  { class: "Transient", alt: ["Malformed"], body: "Oops! Something went wrong on our end." },
  { class: "Overloaded", body: "Sorry, we're at capacity right now" },
  { status: 403, class: "Forbidden", body: "Sorry, you have been blocked. You are unable to access relay.example" },
  { status: 403, class: "Forbidden", body: "Access to this site has been restricted by WAF" },
  { status: 403, class: "Forbidden", body: "Please enable JavaScript and cookies to continue" },
  { status: 403, class: "Forbidden", body: "Country blocked" },
  { class: "Forbidden", body: "unsupported_country_region_territory" },
  { class: "Forbidden", body: "FAILED_PRECONDITION: User location is not supported for the API use." },
  { class: "Unauthorized", body: "ERR_BAD_REQUEST: Request failed with status code 401" },
  { class: "ModelNotFound", alt: ["InvalidRequest"], body: "ERR_BAD_REQUEST: Request failed with status code 404" },
  { class: "Overloaded", body: "ERR_BAD_RESPONSE: Request failed with status code 503" },
  { class: "Timeout", body: "ECONNABORTED: timeout of 180000ms exceeded" },
  { class: "Transient", body: "AxiosError: Network Error" },
  { class: "Transient", body: "AxiosError: read ECONNRESET" },
  { class: "Timeout", body: "FetchError: network timeout at: https://x" },
  { class: "Transient", body: "FetchError: request to https://x failed, reason: socket hang up" },
  { class: "Transient", body: "FetchError: Invalid response body while trying to fetch https://x: Premature close" },
  {
    class: "Malformed",
    body: "FetchError: invalid json response body at https://x reason: Unexpected token < in JSON at position 0"
  },
  { class: "Timeout", body: "TimeoutError: Request timed out after 600000ms" },
  {
    class: "Transient",
    body: "Error: aborted\n    at TLSSocket.socketCloseListener (node:_http_client:464:19) {\n  code: 'ECONNRESET'\n}"
  },
  { class: "Transient", body: "Error [ERR_HTTP2_STREAM_ERROR]: Stream closed with error code NGHTTP2_INTERNAL_ERROR" },
  { class: "Transient", body: "EOFError" },
  {
    class: "Transient",
    body:
      "requests.exceptions.ChunkedEncodingError: ('Connection broken: InvalidChunkLength(got length b'', 0 bytes read)', InvalidChunkLength(got length b'', 0 bytes read))"
  },
  { class: "Timeout", body: "socket.timeout: The read operation timed out" },
  {
    class: "Timeout",
    body:
      "urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='x', port=443): Read timed out. (read timeout=120)"
  },
  { class: "Transient", body: "urllib.error.URLError: <urlopen error [Errno 61] Connection refused>" },
  { class: "Timeout", body: "<urlopen error timed out>" },
  {
    class: "Transient",
    body: "ConnectionResetError: [WinError 10054] An existing connection was forcibly closed by the remote host"
  },
  {
    class: "Timeout",
    alt: ["Transient"],
    body:
      "[WinError 10060] A connection attempt failed because the connected party did not properly respond after a period of time"
  },
  { class: "Transient", body: "httpcore.RemoteProtocolError: Server disconnected without sending a response." },
  { class: "Transient", body: "httpx.ReadError" },
  { class: "Transient", body: "httpx.ConnectError: All connection attempts failed" },
  { class: "Transient", alt: ["Overloaded"], body: "httpx.ProxyError: 503 Service Unavailable" },
  {
    class: "Transient",
    alt: ["InvalidRequest", "Unauthorized"],
    body: "httpx.LocalProtocolError: Illegal header value b'Bearer '"
  },
  { class: "Transient", body: "anyio.EndOfStream" },
  { class: "Transient", body: "ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:2417)" },
  { class: "Transient", body: "dial tcp 1.2.3.4:443: connect: no route to host" },
  { class: "Timeout", body: "dial tcp 1.2.3.4:443: i/o timeout" },
  { class: "Transient", body: "EOF" },
  { class: "Transient", body: "write: broken pipe" },
  { class: "Transient", body: "tls: first record does not look like a TLS handshake" },
  { class: "Transient", body: "hyper::Error(IncompleteMessage)" },
  { class: "Transient", body: "error trying to connect: tcp connect error: Connection refused (os error 111)" },
  { class: "Transient", body: "connection closed before message completed" },
  { class: "Transient", body: "ERR_NETWORK_CHANGED" },
  { class: "Transient", body: "net::ERR_NAME_NOT_RESOLVED" },
  { class: "Timeout", body: "net::ERR_TIMED_OUT" },
  { class: "Transient", body: "net::ERR_INTERNET_DISCONNECTED" },
  { class: "Transient", body: "net::ERR_HTTP2_PROTOCOL_ERROR" },
  { class: "Timeout", body: "net::ERR_CONNECTION_TIMED_OUT" },
  { class: "Transient", body: "net::ERR_EMPTY_RESPONSE" },
  { class: "InvalidRequest", alt: ["Transient"], body: "net::ERR_CERT_AUTHORITY_INVALID" },
  { class: "InvalidRequest", alt: ["Transient"], body: "CERT_HAS_EXPIRED" },
  { class: "InvalidRequest", body: "TypeError: Invalid URL" },
  { class: "InvalidRequest", alt: ["Transient"], body: "x509: certificate signed by unknown authority" },
  { class: "InvalidRequest", alt: ["Transient"], body: "ERR_TLS_CERT_ALTNAME_INVALID" },
  {
    status: 503,
    class: "ModelNotFound",
    body: { error: { message: "model nano-banana-x not found, please try again later", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "Unauthorized",
    body: { error: { message: "upstream returned: API key not valid", type: "api_error", code: null } }
  },
  {
    status: 502,
    class: "QuotaExhausted",
    body: { error: { message: "upstream account balance insufficient, retry", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "Forbidden",
    body: { error: { message: "Your account has been suspended for abuse", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "Forbidden",
    body: { error: { message: "Organization has been restricted, try again later", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: {
      error: {
        message: "Rejected due to content policy, please retry with another prompt",
        type: "api_error",
        code: null
      }
    }
  },
  {
    status: 503,
    class: "Forbidden",
    alt: ["ModelNotFound"],
    body: { error: { message: "no permission to call this model", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "ModelNotFound",
    body: { error: { message: "invalid model specified", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "context length exceeded, try again with fewer tokens", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "Unauthorized",
    body: { error: { message: "API key expired", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "unsupported image format: heic", type: "api_error", code: null } }
  },
  {
    status: 502,
    class: "InvalidRequest",
    body: { error: { message: "upstream error: 400 Bad Request", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "ModelNotFound",
    body: { error: { message: "upstream error", type: "upstream_error", code: "model_not_found" } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "'timeout' must be a positive integer", type: "invalid_request_error", code: null } }
  },
  {
    status: 429,
    class: "Forbidden",
    alt: ["QuotaExhausted", "ModelNotFound"],
    body: { error: { message: "Upgrade to a paid plan to access this model", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    alt: ["Forbidden"],
    body: { error: { message: "Free usage has ended, please upgrade", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    alt: ["Forbidden"],
    body: { error: { message: "此模型需要付费，请充值后使用", type: "api_error", code: null } }
  },
  {
    status: 403,
    class: "QuotaExhausted",
    alt: ["Forbidden"],
    body: { error: { message: "Trial expired", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: {
      error: { message: "Your free trial has ended. Please add a payment method.", type: "api_error", code: null }
    }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { message: "You've reached your plan's image limit for this month", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: {
      error: {
        message: "Daily image generation limit reached, please try again tomorrow",
        type: "api_error",
        code: null
      }
    }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { message: "exceeded daily quota", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { message: "You have run out of credits. Retry after topping up.", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "QuotaExhausted",
    body: { error: { message: "Insufficient funds in wallet", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "QuotaExhausted",
    body: { error: { message: "no remaining credits, try later", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { message: "quota exhausted for this billing period", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { message: "weekly limit exceeded", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "QuotaExhausted",
    body: { error: { message: "额度不足，请稍后重试", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "QuotaExhausted",
    body: { error: { message: "该账号今日生图次数已达上限", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "Unauthorized",
    body: { error: { message: "Invalid token, please retry login", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "Unauthorized",
    body: { error: { message: "鉴权失败，请稍后重试", type: "api_error", code: null } }
  },
  { status: 503, class: "Unauthorized", body: { error: { message: "身份验证失败", type: "api_error", code: null } } },
  {
    status: 500,
    class: "Unauthorized",
    body: { error: { message: "Signature verification failed", type: "api_error", code: null } }
  },
  {
    status: 400,
    class: "Unauthorized",
    body: { error: { message: "invalid signature", type: "api_error", code: null } }
  },
  {
    status: 502,
    class: "Unauthorized",
    body: { error: { message: "Unauthorized: token is invalid or expired", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "Forbidden",
    body: {
      error: {
        message: "This service is not available in your region, try another network",
        type: "api_error",
        code: null
      }
    }
  },
  {
    status: 503,
    class: "Forbidden",
    body: { error: { message: "您所在的地区暂不支持", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "Forbidden",
    body: { error: { message: "IP 被封禁，请稍后再试", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "Forbidden",
    body: { error: { message: "request blocked by firewall", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: { error: { message: "生成失败：内容审核不通过，请重试", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    alt: ["EmptyResult", "Transient"],
    body: { error: { message: "图片涉及名人肖像，无法生成", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "ContentBlocked",
    body: { error: { message: "Prompt rejected by NSFW filter", type: "api_error", code: null } }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: { error: { message: "I can't generate images of real people", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: { error: { message: "violates our terms of service", type: "api_error", code: null } }
  },
  {
    status: 429,
    class: "ContentBlocked",
    body: { error: { message: "Image was flagged as unsafe", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: { error: { message: "输出图片命中安全策略", type: "api_error", code: null } }
  },
  {
    status: 502,
    class: "ContentBlocked",
    body: { error: { message: "google: content blocked (SAFETY)", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ContentBlocked",
    body: { error: { message: "PROHIBITED_CONTENT", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "ContentBlocked",
    body: { error: { message: "Gemini refused: IMAGE_RECITATION", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "image too large: 25MB, max 20MB", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "Too many reference images, max 3", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "InvalidRequest",
    body: { error: { message: "prompt too long", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "尺寸参数不合法", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "missing required field: prompt", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    alt: ["Transient"],
    body: { error: { message: "n must be 1", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "InvalidRequest",
    body: { error: { message: "Invalid base64 image data", type: "api_error", code: null } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "The image url is not accessible", type: "api_error", code: null } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "failed to download image from url: 404", type: "api_error", code: null } }
  },
  {
    status: 400,
    class: "InvalidRequest",
    body: { error: { message: "failed to download image: context deadline exceeded", type: "api_error", code: null } }
  },
  { status: 400, class: "InvalidRequest", body: { error: { message: "图片下载失败", type: "api_error", code: null } } },
  {
    status: 503,
    class: "ModelNotFound",
    body: { error: { message: "The model is deprecated, use X instead", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ModelNotFound",
    body: { error: { message: "Model X has been removed", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "ModelNotFound",
    alt: ["Overloaded"],
    body: { error: { message: "模型维护下线", type: "api_error", code: null } }
  },
  {
    status: 503,
    class: "ModelNotFound",
    alt: ["Overloaded"],
    body: { error: { message: "no channel supports model nano-banana", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "ModelNotFound",
    body: { error: { message: "No provider found for model x", type: "api_error", code: null } }
  },
  { class: "InvalidRequest", body: "status_code=400, convert request failed: unsupported content type" },
  { class: "InvalidRequest", alt: ["Transient"], body: "500: {'detail': 'Invalid aspect ratio'}" },
  {
    status: 500,
    class: "Malformed",
    body: {
      error: { message: "failed to unmarshal response: unexpected end of JSON input", type: "api_error", code: null }
    }
  },
  {
    status: 500,
    class: "EmptyResult",
    body: { error: { message: "empty choices in response", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "EmptyResult",
    alt: ["Malformed"],
    body: { error: { message: "model returned text only", type: "api_error", code: null } }
  },
  { class: "RateLimited", body: { error: { message: "rate limited", type: "api_error", code: null } } },
  {
    status: 429,
    class: "Overloaded",
    body: { error: { message: "all upstream channels are busy", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "Timeout",
    alt: ["Transient"],
    body: { error: { message: "upstream timeout", type: "api_error", code: null } }
  },
  {
    status: 500,
    class: "Timeout",
    body: { error: { message: "generation timed out, credits refunded", type: "api_error", code: null } }
  },
  { status: 500, class: "Transient", body: { error: { message: "unknown error", type: "api_error", code: null } } },
  { status: 500, class: "Transient", body: { error: { message: "", type: "api_error", code: null } } },
  { status: 503, class: "Overloaded", body: { error: { message: "", type: "api_error", code: null } } },
  { status: 429, class: "RateLimited", body: { error: { message: "", type: "api_error", code: null } } },
  { class: "Transient", body: "generation failed, credits refunded" },
  { class: "Transient", body: "图片生成失败，请稍后重试" },
  { class: "Transient", body: "Job failed: internal" },
  { status: 503, class: "Overloaded", body: "服务暂时不可用，请稍后再试" },
  { class: "Transient", body: "An unexpected error occurred, please try again later." },
  { status: 503, class: "Overloaded", body: { error: { message: "Request was queued too long and dropped" } } },
  { status: 503, class: "Overloaded", body: { error: { message: "Please try again later" } } },
  { status: 429, class: "RateLimited", body: { error: { message: "Please try again later" } } },
  { status: 500, class: "Transient", body: { error: { message: "Please try again later" } } },
  {
    class: "RateLimited",
    wait: 8,
    body:
      "Error: 429 Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000. Please try again in 8s.\n    at APIError.generate (file:///app/node_modules/openai/error.mjs:63:20) {\n  status: 429,\n  headers: Headers { 'retry-after': '8', 'x-ratelimit-reset-tokens': '8s' },\n  request_id: 'req_1',\n  error: { message: 'Rate limit reached', type: 'tokens', param: null, code: 'rate_limit_exceeded' },\n  code: 'rate_limit_exceeded'\n}"
  },
  {
    class: "Unauthorized",
    body:
      "AuthenticationError: 401 {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid x-api-key\"}}\n    at APIError.generate (/app/node_modules/@anthropic-ai/sdk/error.js:46:20)"
  },
  {
    class: "Overloaded",
    wait: 3,
    body:
      "APICallError [AI_APICallError]: Overloaded\n    at async fn {\n  cause: undefined,\n  url: 'https://api.anthropic.com/v1/messages',\n  requestBodyValues: { model: 'claude', messages: [ [Object] ] },\n  statusCode: 529,\n  responseHeaders: { 'content-type': 'application/json', 'retry-after': '3' },\n  responseBody: '{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}',\n  isRetryable: true,\n  data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }\n}"
  },
  {
    class: "QuotaExhausted",
    wait: 36,
    body:
      "APICallError [AI_APICallError]: You exceeded your current quota, please check your plan and billing details.\n  statusCode: 429,\n  responseBody: '{\\n  \"error\": {\\n    \"code\": 429,\\n    \"message\": \"You exceeded your current quota\",\\n    \"status\": \"RESOURCE_EXHAUSTED\",\\n    \"details\": [\\n      {\\n        \"@type\": \"type.googleapis.com/google.rpc.QuotaFailure\",\\n        \"violations\": [\\n          {\\n            \"quotaMetric\": \"generativelanguage.googleapis.com/generate_content_free_tier_requests\",\\n            \"quotaId\": \"GenerateRequestsPerDayPerProjectPerModel-FreeTier\"\\n          }\\n        ]\\n      },\\n      {\\n        \"@type\": \"type.googleapis.com/google.rpc.RetryInfo\",\\n        \"retryDelay\": \"36s\"\\n      }\\n    ]\\n  }\\n}\\n',\n  isRetryable: true"
  },
  {
    class: "ModelNotFound",
    body:
      "dev.langchain4j.exception.ModelNotFoundException: {\"error\":{\"code\":404,\"message\":\"models/gemini-x is not found for API version v1beta\",\"status\":\"NOT_FOUND\"}}"
  },
  {
    class: "RateLimited",
    body:
      "org.springframework.ai.retry.NonTransientAiException: 429 - {\"error\":{\"message\":\"Rate limit reached for requests\",\"type\":\"requests\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}"
  },
  {
    class: "QuotaExhausted",
    body:
      "org.springframework.ai.retry.NonTransientAiException: 429 - {\n    \"error\": {\n        \"message\": \"You exceeded your current quota, please check your plan and billing details.\",\n        \"type\": \"insufficient_quota\",\n        \"param\": null,\n        \"code\": \"insufficient_quota\"\n    }\n}"
  },
  { class: "Transient", body: "io.grpc.StatusRuntimeException: INTERNAL: Internal error encountered." },
  { class: "Overloaded", body: "io.grpc.StatusRuntimeException: UNAVAILABLE: The service is currently unavailable." },
  {
    class: "Timeout",
    body:
      "io.grpc.StatusRuntimeException: DEADLINE_EXCEEDED: deadline exceeded after 59.999s. [remote_addr=x/1.2.3.4:443]"
  },
  { class: "Transient", alt: ["Overloaded"], body: "io.grpc.StatusRuntimeException: UNAVAILABLE: io exception" },
  {
    class: "Forbidden",
    body:
      "google.api_core.exceptions.PermissionDenied: 403 Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/p/locations/l/publishers/google/models/m' (or it may not exist). [reason: \"IAM_PERMISSION_DENIED\" domain: \"aiplatform.googleapis.com\"]"
  },
  {
    class: "InvalidRequest",
    body:
      "google.api_core.exceptions.InvalidArgument: 400 Unable to process input image. Please retry or report in https://x"
  },
  {
    class: "Forbidden",
    body: "google.api_core.exceptions.FailedPrecondition: 400 User location is not supported for the API use."
  },
  {
    class: "Overloaded",
    body:
      "google.api_core.exceptions.ResourceExhausted: 429 Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
  },
  {
    class: "Transient",
    body:
      "google.api_core.exceptions.InternalServerError: 500 An internal error has occurred. Please retry or report in https://x"
  },
  {
    class: "ModelNotFound",
    body:
      "google.api_core.exceptions.NotFound: 404 Publisher Model `projects/p/locations/l/publishers/google/models/x` was not found or your project does not have access to it."
  },
  {
    class: "Timeout",
    alt: ["Transient"],
    body:
      "google.api_core.exceptions.RetryError: Timeout of 60.0s exceeded, last exception: 503 failed to connect to all addresses; last error: UNKNOWN"
  },
  {
    class: "Overloaded",
    body:
      "google.genai.errors.ServerError: 503 UNAVAILABLE. {'error': {'code': 503, 'message': 'This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.', 'status': 'UNAVAILABLE'}}"
  },
  {
    class: "InvalidRequest",
    body:
      "openai.BadRequestError: Error code: 400 - {'error': {'message': \"Invalid value: 'auto'. Supported values are: 'low', 'high'.\", 'type': 'invalid_request_error', 'param': 'quality', 'code': 'invalid_value'}}"
  },
  {
    class: "ModelNotFound",
    body:
      "openai.NotFoundError: Error code: 404 - {'error': {'message': 'The model `dall-e-9` does not exist', 'type': 'invalid_request_error', 'param': None, 'code': 'model_not_found'}}"
  },
  {
    class: "Forbidden",
    body:
      "openai.PermissionDeniedError: Error code: 403 - {'error': {'message': 'Your organization must be verified to use the model `gpt-image-1`.', 'type': 'invalid_request_error', 'param': None, 'code': None}}"
  },
  {
    class: "Transient",
    body:
      "openai.InternalServerError: Error code: 500 - {'error': {'message': 'The server had an error processing your request. Sorry about that!', 'type': 'server_error', 'param': None, 'code': None}}"
  },
  {
    class: "Transient",
    body:
      "openai.InternalServerError: <html>\n<head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>"
  },
  {
    class: "Timeout",
    body:
      "openai.InternalServerError: <!DOCTYPE html><html><head><title>api.x | 504: Gateway time-out</title></head><body>Error code 504</body></html>"
  },
  {
    class: "Forbidden",
    body:
      "openai.PermissionDeniedError: <!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body>Sorry, you have been blocked</body></html>"
  },
  {
    class: "Overloaded",
    body:
      "{\"id\":\"x\",\"error\":{\"code\":503,\"message\":\"{\\\"error\\\":{\\\"message\\\":\\\"[503] The model is overloaded. Please try again later.\\\",\\\"type\\\":\\\"server_error\\\"}}\"}}"
  },
  {
    class: "RateLimited",
    body:
      "{StatusCode:429 Error:{Message:Rate limit exceeded, retry later Type:rate_limit_error Param:<nil> Code:<nil>}}"
  },
  {
    class: "QuotaExhausted",
    body: "&{Error:{Message:You have insufficient balance Type:billing Code:1008} Status:402}"
  },
  { class: "Transient", body: "map[error:map[code:500 message:Internal error encountered. status:INTERNAL]]" },
  {
    class: "Unauthorized",
    body: "map[error:map[code:400 message:API key not valid. Please pass a valid API key. status:INVALID_ARGUMENT]]"
  },
  { class: "Overloaded", body: "Error { status: 503, message: \"The model is overloaded\" }" },
  { class: "Timeout", body: "reqwest::Error { kind: Request, url: \"https://x/\", source: TimedOut }" },
  {
    class: "Transient",
    body: "Err(ApiError { code: Some(\"server_error\"), message: \"An error occurred while processing your request\" })"
  },
  {
    class: "RateLimited",
    body:
      "ApiError(OpenAIError { message: \"Rate limit reached\", type: Some(\"requests\"), code: Some(\"rate_limit_exceeded\") })"
  },
  {
    class: "ContentBlocked",
    body:
      "ResponseError { status: 400, body: \"{\\\"error\\\":{\\\"code\\\":\\\"moderation_blocked\\\",\\\"message\\\":\\\"Your request was rejected by the safety system\\\"}}\" }"
  },
  {
    status: 200,
    class: "EmptyResult",
    body:
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"I've created the image for you!\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":8}}"
  },
  {
    status: 200,
    class: "ContentBlocked",
    body:
      "{'candidates': [{'finishReason': 'PROHIBITED_CONTENT', 'index': 0}], 'usageMetadata': {'promptTokenCount': 5}}"
  },
  {
    status: 200,
    streamed: true,
    class: "ContentBlocked",
    body: "data: {\"candidates\": [{\"finishReason\": \"SAFETY\",\"index\": 0}]}\n\n"
  },
  {
    status: 200,
    streamed: true,
    class: "EmptyResult",
    body:
      "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\"}],\"role\": \"model\"},\"finishReason\": \"STOP\",\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 5}}\n\n"
  },
  {
    status: 200,
    class: "EmptyResult",
    alt: ["Malformed"],
    body: { candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL" }] }
  },
  {
    status: 200,
    class: "EmptyResult",
    body: {
      candidates: [{
        content: { parts: [{ thought: true, inlineData: { mimeType: "image/png", data: "aa" } }] },
        finishReason: "STOP"
      }]
    }
  },
  {
    status: 200,
    class: "EmptyResult",
    body: {
      output: [{ type: "message", content: [{ type: "output_text", text: "Here is your image." }] }],
      status: "completed"
    }
  },
  {
    status: 200,
    class: "Transient",
    body: {
      id: "resp",
      status: "failed",
      error: { code: "server_error", message: "The model failed to generate a response." },
      output: []
    }
  },
  {
    status: 200,
    class: "RateLimited",
    body: {
      id: "resp",
      status: "failed",
      error: { code: "rate_limit_exceeded", message: "Rate limit reached for gpt-image" },
      output: []
    }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: {
      id: "resp",
      status: "failed",
      error: { code: "image_content_policy_violation", message: "Image violates policy" },
      output: []
    }
  },
  {
    status: 200,
    class: "ContentBlocked",
    body: { content: [], stop_reason: "refusal", type: "message", role: "assistant" }
  },
  {
    status: 200,
    class: "EmptyResult",
    body: { content: [], stop_reason: "end_turn", type: "message", role: "assistant" }
  },
  { status: 200, class: "EmptyResult", body: { created: 1, data: [{ revised_prompt: "a cat" }] } },
  { status: 200, class: "EmptyResult", body: { images: [] } },
  { status: 200, class: "EmptyResult", body: { data: null } },
  { status: 200, class: "EmptyResult", alt: ["Malformed"], body: {} },
  { status: 200, class: "EmptyResult", alt: ["Malformed"], body: [] },
  { status: 200, class: "Timeout", body: { task_status: "timeout", message: "task timeout" } },
  { status: 200, class: "Transient", body: { status: "error", message: "internal error" } },
  {
    status: 200,
    class: "ContentBlocked",
    body: { status: "failed", error: { code: "content_moderation", message: "blocked" } }
  },
  { status: 200, class: "QuotaExhausted", body: { success: false, message: "点数不足" } },
  { status: 200, class: "Overloaded", body: { success: false, msg: "当前排队人数较多，请稍后再试" } },
  { status: 200, class: "Unauthorized", body: { success: false, message: "无效的apikey" } },
  { status: 200, class: "InvalidRequest", body: { success: false, message: "参数 size 无效" } }
]

export const moreFixtures: ReadonlyArray<Fixture> = more.map((fixture, i) => ({ id: `more-${i + 1}`, ...fixture }))
