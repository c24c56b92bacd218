-- upstream_save.lua: writes what came of a registration, and when it is due again.
-- KEYS  1 events  2 upstreams  3 upstream-due  4 request:<id>
-- ARGV  4 number  5 record (JSON)  6 due (ms; '': it is not needed any more)
--       7 events (JSON list or '')
-- Returns "ok", or "superseded" where another claim holds the record.
-- Invariant: what people changed meanwhile stands, and is due at once.

local KEEP_UPSTREAM = 7200000

local number, r = ARGV[4], cjson.decode(ARGV[5])
local stored = load(K.upstreams, number)
if not stored or stored.claim ~= r.claim then return 'superseded' end
if not first_time() then return 'ok' end
local due = tonumber(ARGV[6])
r.cseq = math.max(stored.cseq, r.cseq)
if (stored.change or 0) ~= (r.change or 0) then
  r.wanted, r.gen, r.uri, r.username, r.password, r.change = stored.wanted, stored.gen, stored.uri, stored.username, stored.password, stored.change
  r.state, r.since, r.fails = stored.state, stored.since, nil
  due = now
end
if due then
  r.contacts = filled(r.contacts)
  save(K.upstreams, number, r)
  redis.call('ZADD', K.upstream_due, string.format('%.0f', due), number)
  redis.call('PEXPIRE', K.upstreams, KEEP_UPSTREAM)
  redis.call('PEXPIRE', K.upstream_due, KEEP_UPSTREAM)
else
  redis.call('HDEL', K.upstreams, number)
  redis.call('ZREM', K.upstream_due, number)
end
emit_all(ARGV[7])
return 'ok'
