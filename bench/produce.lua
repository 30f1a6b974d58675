-- Posts one prepared body again and again: a request that never changes costs wrk no call into Lua.
--
--   wrk ... -s produce.lua URL -- CONTENT_TYPE BODY_FILE [check|check-receipts]
--
-- With "check", or "check-receipts" for those of v3, every answer is searched for a record that failed. That makes wrk slower, so it is for the warm-up.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = arguments[1]
  wrk.body = assert(io.open(arguments[2], "rb")):read("*a")
  failed_answers = 0
  if arguments[3] == "check" then
    response = count_failed_answer
  elseif arguments[3] == "check-receipts" then
    response = count_failed_receipts
  end
end

function count_failed_answer(_, _, body)
  if body:find('"error_code":[1-9]') then
    failed_answers = failed_answers + 1
  end
end

function count_failed_receipts(_, _, body)
  local _, all = body:gsub('"error_code":', "")
  local _, written = body:gsub('"error_code":200,', "")
  if all == 0 or written < all then
    failed_answers = failed_answers + 1
  end
end

-- Writes the result as one line of JSON.
function done(summary, latency)
  local errors = summary.errors
  local failed = 0
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("failed_answers")
  end
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "bad_status": %d, "socket_errors": %d, "failed_answers": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, failed))
end
