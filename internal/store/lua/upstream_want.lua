-- upstream_want.lua: notes whether an extension shall be registered at the PBX.
-- KEYS  1 upstreams  2 upstream-due
-- ARGV  4 number  5 account (JSON: number, uri, username, password, gen; '': none
--       is wanted)  6 Call-ID of a new record  7 CSeq of a new record
-- Returns 1 where something changed.
-- Invariant: a record is due at once when what is wanted changes. One for
-- another PBX or user is undone first; the wish comes again when it has gone.

-- How long the records of a tenant that has gone stay, which nobody claims.
local KEEP_UPSTREAM = 7200000

local number, text = ARGV[4], ARGV[5]
local r = load(K.upstreams, number)
if text == '' then
  if not r or not r.wanted then return 0 end
  r.wanted, r.state, r.since, r.fails = nil, 'unregistering', now, nil
else
  local a = cjson.decode(text)
  if not r then
    r = {number = number, uri = a.uri, username = a.username, password = a.password, gen = a.gen,
      call_id = ARGV[6], cseq = tonumber(ARGV[7]), wanted = true, state = 'registering', since = now, tenant = tenant}
  elseif r.uri ~= a.uri or r.username ~= a.username then
    if not r.wanted then return 0 end
    r.wanted, r.state, r.since, r.fails = nil, 'unregistering', now, nil
  elseif r.wanted and r.gen == a.gen then
    return 0
  else
    if not r.wanted then r.state, r.since = 'registering', now end
    r.wanted, r.gen, r.password, r.fails = true, a.gen, a.password, nil
  end
end
r.change = (r.change or 0) + 1
save(K.upstreams, number, r)
redis.call('ZADD', K.upstream_due, string.format('%.0f', now), number)
redis.call('PEXPIRE', K.upstreams, KEEP_UPSTREAM)
redis.call('PEXPIRE', K.upstream_due, KEEP_UPSTREAM)
return 1
