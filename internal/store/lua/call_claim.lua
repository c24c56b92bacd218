-- call_claim.lua: hands out the calls that are to be looked at, and forgets those
-- that ended long ago.
-- KEYS  1 calls  2 call-due  3 calls-past  4 calls-past-due
-- ARGV  4 most: calls given in this call  5 until when they are the caller's (ms)
--       6 how late another node's may be before it is taken (ms)
--       7 most: ended calls remembered
-- Returns the calls (JSON), each once to one node until then.
-- Invariant: the indexes agree with the calls.

local given_out = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.call_due, '-inf', now, 'LIMIT', 0, ARGV[4])) do
  local text = redis.call('HGET', K.calls, id)
  if not text then
    redis.call('ZREM', K.call_due, id)
  else
    local due = tonumber(redis.call('ZSCORE', K.call_due, id))
    if cjson.decode(text).node == node or now - due > tonumber(ARGV[6]) then
      redis.call('ZADD', K.call_due, ARGV[5], id)
      given_out[#given_out + 1] = text
    end
  end
end

local function forget(list)
  for _, id in ipairs(list) do
    redis.call('HDEL', K.calls_past, id)
    redis.call('ZREM', K.calls_past_due, id)
  end
end
forget(redis.call('ZRANGEBYSCORE', K.calls_past_due, '-inf', now, 'LIMIT', 0, 500))
local many = redis.call('ZCARD', K.calls_past_due) - tonumber(ARGV[7])
if many > 0 then forget(redis.call('ZRANGE', K.calls_past_due, 0, math.min(many, 500) - 1)) end
return given_out
