-- unban.lua: ends a ban at every node.
-- KEYS  1 bans  2 unbans
-- ARGV  1 now (ms)  2 address  3 how long nodes may take to hear of it (ms)
-- Returns 1 if the address was banned, else 0.

local now = tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - tonumber(ARGV[3])))
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[2])
return redis.call('ZREM', KEYS[1], ARGV[2])
