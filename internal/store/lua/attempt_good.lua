-- attempt_good.lua: the PIN was right: the attempt is taken back.
-- KEYS  1 lockouts  2 guessed
--       3 lock:<number>|<source>  4 guesses:<number>  5 good:<number>|<source>
-- ARGV  4 how long the source is remembered as good (ms)  5 window as attempt.lua
--       6 number  7 source
-- Returns 1, or 0 when that was done already.
-- Invariant: the failures of this source are forgotten, those of others are not.

redis.call('SET', K.good, string.format('%.0f', now + tonumber(ARGV[4])), 'PX', ARGV[4])
redis.call('ZREM', K.lockouts, ARGV[6] .. '|' .. ARGV[7])
if redis.call('DEL', K.lock) == 0 then return 0 end
local v = redis.call('GET', K.guesses)
local all = v and cjson.decode(v)
if all and all.n > 1 then
  all.n = all.n - 1
  redis.call('SET', K.guesses, cjson.encode(all), 'PX', ARGV[5])
else
  redis.call('DEL', K.guesses)
  redis.call('ZREM', K.guessed, ARGV[6])
end
return 1
