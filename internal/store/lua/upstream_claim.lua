-- upstream_claim.lua: hands out the registrations that are due, each to one node.
-- KEYS  1 upstreams  2 upstream-due
-- ARGV  4 lease (ms)  5 most  6 grace (ms)  7 numbers that one request takes of CSeq
-- Returns {due of the next one ('' for none), record (JSON), ...}.
-- Invariant: a record that was handed out is not handed out again before its
-- lease is over; another node than the one that holds it gets it only when it is
-- overdue by the grace. Each claim has CSeq numbers of its own.

local out, most = {''}, tonumber(ARGV[5])
for _, number in ipairs(redis.call('ZRANGEBYSCORE', K.upstream_due, '-inf', now, 'LIMIT', 0, 2 * most)) do
  if #out > most then break end
  local r = load(K.upstreams, number)
  if not r then
    redis.call('ZREM', K.upstream_due, number)
  else
    local due = tonumber(redis.call('ZSCORE', K.upstream_due, number))
    if r.node == nil or r.node == node or due + tonumber(ARGV[6]) <= now then
      local cseq = r.cseq
      r.claim = (r.claim or 0) + 1
      r.cseq = cseq + tonumber(ARGV[7])
      save(K.upstreams, number, r)
      redis.call('ZADD', K.upstream_due, string.format('%.0f', now + tonumber(ARGV[4])), number)
      r.cseq = cseq
      out[#out + 1] = cjson.encode(r)
    end
  end
end
out[1] = redis.call('ZRANGE', K.upstream_due, 0, 0, 'WITHSCORES')[2] or ''
return out
