-- The script that a consumer runs: KEYS[1] holds the pool, ARGV[1] is the message, ARGV[2] is 'loaded' if the store did
-- not know this script. Scripts do not outlive a restart of the store, and this one ends in the name of its key, so the
-- first call for a key after a restart is always a loaded one. Only then the store is asked whether it is another run.
-- The key is a hash: the pool, and one field for each consumer, so that a call touches no other consumer than its own.

local KEPT = 8 * 86400
local KEY, CONSUMER = KEYS[1], 'consumer:'

local function unpacked(packed)
  local ok, value = pcall(cmsgpack.unpack, packed)
  return ok and type(value) == 'table' and value or nil
end

local function rubbish() return redis.error_reply('BINANCESDK rubbish') end

local message = cjson.decode(ARGV[1])
local field = CONSUMER .. message.id
local found = redis.call('HMGET', KEY, 'pool', field)
local p, consumer = nil, nil
if found[1] then
  p = unpacked(found[1])
  if not p or type(p.format) ~= 'number' then return rubbish() end
  if p.format ~= FORMAT then
    return redis.error_reply('BINANCESDK format ' .. p.format .. ' instead of ' .. FORMAT)
  end
elseif redis.call('EXISTS', KEY) == 1 then
  return rubbish()
end
if found[2] then
  consumer = unpacked(found[2])
  if not consumer then return rubbish() end
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

local function each(visit)
  local all = redis.call('HGETALL', KEY)
  for position = 1, #all, 2 do
    local name = all[position]
    if name ~= field and string.sub(name, 1, #CONSUMER) == CONSUMER then
      local other = unpacked(all[position + 1])
      local verdict = other == nil and 'drop' or visit(other)
      if verdict == 'drop' then
        redis.call('HDEL', KEY, name)
      elseif verdict == 'save' then
        redis.call('HSET', KEY, name, cmsgpack.pack(other))
      end
    end
  end
  redis.call('EXPIRE', KEY, KEPT)
end

local reply
reply, consumer = pool.sync(p, consumer, message, now, each)
if reply.unknown or reply.stale then return cjson.encode(reply) end
if consumer then
  redis.call('HSET', KEY, 'pool', cmsgpack.pack(p), field, cmsgpack.pack(consumer))
else
  redis.call('HSET', KEY, 'pool', cmsgpack.pack(p))
  redis.call('HDEL', KEY, field)
end
if new then redis.call('EXPIRE', KEY, KEPT) end
return cjson.encode(reply)
