-- reload_claim.lua: hands out the reloads that are due, each to one claimant.
-- KEYS  1 reloads  2 reload-due
-- ARGV  4 lease (ms)  5 most
-- Returns {due of the next one ('' for none), intent (JSON), ...}.
-- Invariant: a claimed intent is not handed out again before its lease is over.

local out = {''}
for _, mac in ipairs(redis.call('ZRANGEBYSCORE', K.reload_due, '-inf', now, 'LIMIT', 0, ARGV[5])) do
  local i = load(K.reloads, mac)
  if i then
    i.claimed, i.waiting, i.call_over = now, nil, nil
    save(K.reloads, mac, i)
    redis.call('ZADD', K.reload_due, string.format('%.0f', now + tonumber(ARGV[4])), mac)
    out[#out + 1] = cjson.encode(i)
  else
    redis.call('ZREM', K.reload_due, mac)
  end
end
out[1] = redis.call('ZRANGE', K.reload_due, 0, 0, 'WITHSCORES')[2] or ''
return out
