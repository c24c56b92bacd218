-- fetched.lua: a device was served the file that carries its account.
-- KEYS  1 events  2 devices  3 phones  4 reloads
-- ARGV  4 MAC  5 fetched (JSON): session, digest, targets, detail, phone,
--       pushed: it took the settings by NOTIFY and fetched nothing
-- Returns 2 if it took another file or another session's than last time, 1 if
-- that was news for another reason, else 0.
-- A phone that takes the same file again within a minute writes nothing.
-- Invariant: an event while a reload is open, and whenever the device took
-- another file or another session's than last time.

local FRESH = 60000 -- ms by which the time of the last fetch may lag when nothing else is new
local mac, f = ARGV[4], cjson.decode(ARGV[5])
if redis.call('HEXISTS', K.devices, mac) == 0 then return 0 end
local p = load(K.phones, mac) or {}
local open = open_trace(mac)
local changed = p.fetched_digest ~= f.digest or given(p.fetched_for) ~= given(f.session)
local same = not open and not changed and now - (p.fetched_at or 0) < FRESH
for name, v in pairs(f.phone or {}) do
  same = same and p[name] == v
  p[name] = v
end
if same then return 0 end
p.fetched_at, p.fetched_digest, p.fetched_for = now, given(f.digest), given(f.session)
save(K.phones, mac, p)
if not open and not changed then return 0 end
emit({type = f.pushed and 'config.pushed' or 'config.fetched', mac = mac, session = given(f.session), trace = open, brand = p.brand,
  digest = given(f.digest), targets = filled(f.targets), detail = given(f.detail)})
return changed and 2 or 1
