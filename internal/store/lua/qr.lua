-- qr.lua: codes that a phone shows and somebody confirms elsewhere.
-- KEYS  1 qr (hash): "c:<code>" -> {mac, line, trace, ends}
--                    "d:<MAC>" -> {code, count, since}
-- ARGV  4 what: new, take, back or look; 5 code
--       new:  6 MAC  7 line  8 trace id  9 ms that it lives  10 most of a device
--             within  11 ms
--       back: 6 the answer of take
-- Returns new: 1, or 0 when the device has had too many; take and look: the code's
-- JSON, or false; back: 1.
-- Invariant: a device has one code at most, a code is taken once, and what is over
-- is gone at the next new.

local what, code = ARGV[4], ARGV[5]
local function live(field)
  local c = load(K.qr, field)
  if c and c.ends > now then return c end
  return nil
end

if what == 'new' then
  local mac, most, within = ARGV[6], tonumber(ARGV[10]), tonumber(ARGV[11])
  for _, field in ipairs(redis.call('HKEYS', K.qr)) do
    local old = load(K.qr, field)
    if old and (old.ends or old.since + within) <= now then redis.call('HDEL', K.qr, field) end
  end
  local d = load(K.qr, 'd:' .. mac) or {count = 0, since = now}
  if d.count >= most then return 0 end
  if d.code then redis.call('HDEL', K.qr, 'c:' .. d.code) end
  save(K.qr, 'd:' .. mac, {code = code, count = d.count + 1, since = d.since})
  save(K.qr, 'c:' .. code, {mac = mac, line = tonumber(ARGV[7]), trace = ARGV[8], ends = now + tonumber(ARGV[9])})
  return 1
end
if what == 'back' then
  redis.call('HSET', K.qr, 'c:' .. code, ARGV[6])
  return 1
end
local c = live('c:' .. code)
if not c then return false end
if what == 'take' then redis.call('HDEL', K.qr, 'c:' .. code) end
return cjson.encode(c)
