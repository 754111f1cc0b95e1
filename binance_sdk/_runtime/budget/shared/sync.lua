-- The script that a consumer runs: KEYS[1] holds the pool, ARGV[1] is the message, ARGV[2] is 'loaded' if the store did
-- not know this script. Scripts do not outlive a restart of the store, and this one ends in the name of its key, so the
-- first call for a key after a restart is always a loaded one. Only then the store is asked whether it is another run.

local KEPT = 8 * 86400

local packed = redis.call('GET', KEYS[1])
local p = nil
if packed then
  local ok, found = pcall(cmsgpack.unpack, packed)
  if not ok or type(found) ~= 'table' or type(found.format) ~= 'number' then
    return redis.error_reply('BINANCESDK rubbish')
  end
  if found.format ~= FORMAT then
    return redis.error_reply('BINANCESDK format ' .. found.format .. ' instead of ' .. FORMAT)
  end
  p = found
end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local new = not p
if new then p = pool.new() end
if new or ARGV[2] == 'loaded' then
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  if run ~= p.run then
    p.run = run
    pool.distrust(p, now)
  end
end
local reply = pool.sync(p, cjson.decode(ARGV[1]), now)
redis.call('SET', KEYS[1], cmsgpack.pack(p), 'EX', KEPT)
return cjson.encode(reply)
