-- pending.lua: remembers a phone that nobody has put into the directory.
-- KEYS  1 pending  2 pending-seen: MACs by when they were last seen
-- ARGV  1 now (Unix ms)  2 MAC  3 what it said (JSON)  4 most phones to keep
--       5 ms to keep one
-- Returns nothing. Invariant: both keys hold the same MACs, at most ARGV 4, the
-- newest; "first" of a phone that was there already stays.

local now, mac = tonumber(ARGV[1]), ARGV[2]
local seen = cjson.decode(ARGV[3])
local old = redis.call('HGET', KEYS[1], mac)
if old then seen.first = cjson.decode(old).first end
redis.call('HSET', KEYS[1], mac, cjson.encode(seen))
redis.call('ZADD', KEYS[2], ARGV[1], mac)

local function drop(list)
  for _, m in ipairs(list) do
    redis.call('HDEL', KEYS[1], m)
    redis.call('ZREM', KEYS[2], m)
  end
end
drop(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - tonumber(ARGV[5]))))
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if over > 0 then drop(redis.call('ZRANGE', KEYS[2], 0, over - 1)) end
