-- Arguments behind `--`: number of APIs (0: the URL alone), body, pause between requests in ms.
-- Prints what wrk counted as one line of JSON, behind `result:`.

function init(args)
  local apis, body, pause = tonumber(args[1]), args[2], tonumber(args[3])
  if apis > 0 then spread(apis, body) end
  if pause > 0 then
    delay = function() return pause end
  end
end

-- Random requests over all APIs, each with its own key; formatted once, here.
function spread(apis, body)
  local requests = {}
  for index = 0, apis - 1 do
    local name = string.format("api-%05d", index)
    requests[index] = wrk.format("GET", "/" .. name .. "/" .. body, {
      ["Host"] = wrk.headers["Host"], ["X-Api-Key"] = "bench-key-of-" .. name })
  end
  math.randomseed(7)
  request = function() return requests[math.random(0, apis - 1)] end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'result:{"requests": %d, "microseconds": %d, "status": %d, "socket": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
