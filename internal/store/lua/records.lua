-- records.lua: what a device's configuration is made of, as of one instant.
-- KEYS  1 devices  2 phones  3 seats  4 extensions  5 proofs
-- ARGV  4 MAC
-- Returns {phone, seats, extension, proofs}, each the JSON text or "", the extension being
-- that of line 1; {} where the device is there no more.

local mac = ARGV[4]
if redis.call('HEXISTS', K.devices, mac) == 0 then return {} end
local seats = redis.call('HGET', K.seats, mac) or ''
local extension = ''
if seats ~= '' then
  for _, b in ipairs(cjson.decode(seats).bindings or {}) do
    if b.line == 1 then extension = redis.call('HGET', K.extensions, b.number) or '' end
  end
end
return {redis.call('HGET', K.phones, mac) or '', seats, extension,
  redis.call('HGET', K.proofs, mac) or ''}
