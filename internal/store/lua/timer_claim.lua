-- timer_claim.lua: hands out the seats that are to be looked at, each to one
-- claimant.
-- KEYS  1 timers
-- ARGV  4 lease (ms)  5 most
-- Returns {due of the next one ('' for none), "MAC/line", ...}.
-- Invariant: a claimed seat is not handed out again before its lease is over,
-- unless somebody sets its timer.

local out = {''}
for _, seat in ipairs(redis.call('ZRANGEBYSCORE', K.timers, '-inf', now, 'LIMIT', 0, ARGV[5])) do
  redis.call('ZADD', K.timers, string.format('%.0f', now + tonumber(ARGV[4])), seat)
  out[#out + 1] = seat
end
out[1] = redis.call('ZRANGE', K.timers, 0, 0, 'WITHSCORES')[2] or ''
return out
