-- attempt_good.lua: the PIN was right: the attempt is taken back.
-- KEYS  1 lock:<number>|<source>  2 guesses:<number>  3 good:<number>|<source>
-- ARGV  4 how long the source is remembered as good (ms)  5 window as attempt.lua
-- Returns 1, or 0 when that was done already.
-- Invariant: the failures of this source are forgotten, those of others are not.

redis.call('SET', K.good, string.format('%.0f', now + tonumber(ARGV[4])), 'PX', ARGV[4])
if redis.call('DEL', K.lock) == 0 then return 0 end
local v = redis.call('GET', K.guesses)
local all = v and cjson.decode(v)
if all and all.n > 1 then
  all.n = all.n - 1
  redis.call('SET', K.guesses, cjson.encode(all), 'PX', ARGV[5])
elseif all then
  redis.call('DEL', K.guesses)
end
return 1
