-- Sends bodies in turn. Arguments after `--`: content type, content encoding (or "identity"), the files with the bodies.
-- With PACE=milliseconds in the environment, each connection rests that long between two requests, more or less.
local requests = {}
local pace = tonumber(os.getenv("PACE") or "0")
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

if pace > 0 then
  function delay()
    return math.random(math.floor(pace / 2), math.floor(pace * 1.5))
  end
end

-- One line for a program. Times are in microseconds; what wrk calls an error of status is one of 400 and above.
function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
