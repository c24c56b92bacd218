-- ban.lua: keeps an address out of every node until a time.
-- KEYS  1 bans: addresses by when their ban ends
-- ARGV  1 now (Unix ms)  2 address  3 end (Unix ms)  4 most addresses to keep
-- Returns nothing. Invariant: bans that are over are gone; a ban is never made
-- shorter; of more than ARGV 4 those that end last stay.

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local old = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not old or tonumber(old) < tonumber(ARGV[3]) then
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if over > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1) end
