-- Sends bodies in turn. Arguments after `--`: content type, content encoding (or "identity"), the files with the bodies.
local requests = {}
local turn = 0

function init(args)
  local headers = { ["Content-Type"] = args[1] }
  if args[2] ~= "identity" then headers["Content-Encoding"] = args[2] end
  for index = 3, #args do
    local file = assert(io.open(args[index], "rb"))
    requests[index - 2] = wrk.format("POST", "/v1/traces", headers, file:read("*a"))
    file:close()
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

-- One line for a program. Times are in microseconds; what wrk calls an error of status is one of 400 and above.
function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
