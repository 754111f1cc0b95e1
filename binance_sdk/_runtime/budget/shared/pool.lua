-- One pool for all of its consumers, inside the store: what they have in flight, its windows, its gate, and the
-- exchange's clock. A consumer is one process. It sends one message, and gets one reply, in which everything is done:
-- what has ended is settled, what it wants is reserved, what it saw closed is closed for all.
-- A message whose reply was lost does no harm. Every ending has a number and counts once, and what is in flight is told
-- as a whole, so that permissions which never arrived are free again with the next message.
-- Needs the windows, fairness.lua, turns.lua, clock.lua and limits.lua before it. Times are seconds of the store's clock.

local FORMAT = 1
local LAPSE, FORGOTTEN, LOOK = 30, 3600, 1
local TRUSTED = 0.03
local SOON = 0.25
local QUESTIONS, PARTS_OF_WINDOW = 100, 8

local pool = {}

function pool.new()
  return {
    format = FORMAT, run = '', version = '', windows = {}, live = 0, shares = 0, looked_at = 0,
    closed_until = 0, banned_until = 0, reason = '', in_a_row = {0, 0, 0}, low = false, high = false, clock_at = 0,
  }
end

function pool.distrust(p, now)
  for _, w in pairs(p.windows) do distrust(w, now) end
end

-- ---------------------------------------------------------------------------------------------------------- windows

-- When the window is believed again; 0 if it is.
local function believed_at(w, now)
  if not w.fixed then return w.distrusted_until > now and w.distrusted_until or 0 end
  if w.distrusted < 0 then return 0 end
  local over = (w.distrusted + 1) * w.seconds - w.offset + fixed.guard_after + w.uncertainty
  if now < over then return over end
  w.distrusted = -1
  return 0
end

-- How long a consumer that was refused leaves the store alone at least: they all would ask again at the same moment, of
-- which there may be many before a window turns. So many questions a second are welcome of all together.
local function pause(p, w) return math.min(p.live / QUESTIONS, w.seconds / PARTS_OF_WINDOW) end

-- A count that has to come may show that there is more room than it seems: what is in flight, or was answered without a
-- count that can be trusted, may be counted twice for a moment. Then it is worth asking again soon.
local function again_at(w, amount, ready, now, share)
  if not w.fixed or ready <= now + SOON then return ready end
  local uncertain = w.in_flight + w.unreported - w.covered + w.lost
  return uncertain > 0 and w.reported + amount <= w.limit * share and now + SOON or ready
end

-- When a window lets the amount through, whether or not it is believed; as for others, `now` if it does.
local function ready_at(w, consumer, part, amount, now, share)
  local ready = module_of(w).ready_at(w, amount, now, share)
  if ready == math.huge then return ready end
  local believed = believed_at(w, now)
  if believed > 0 then
    if w.given + amount <= math.max(1, math.floor(w.limit * TRUSTED)) then return ready end
    return math.max(ready, believed)
  end
  if not w.fixed then
    if ready > now or turns.has_room(w, consumer, part, amount, now, share) then return ready end
    return now + SOON
  end
  ready = again_at(w, amount, ready, now, share)
  return math.max(ready, fairness.ready_at(w, part, amount, now, share))
end

local function take(w, part, amount, now)
  if believed_at(w, now) > 0 then w.given = w.given + amount end
  if not w.fixed then
    part[2] = part[2] + amount
    return sliding.take(w, amount)
  end
  fairness.take(w, part, amount)
  return fixed.take(w, amount, now)
end

-- -------------------------------------------------------------------------------------------------------- consumers

local function new_consumer(id, settled)
  return {id = id, seq = 0, settled = settled, held = {}, parts = {}, want = 0, head = 0, since = 0, lapsed = true}
end

-- It comes in the middle of a window, new or after a long silence.
local function join(p, consumer)
  for name, w in pairs(p.windows) do
    if w.fixed then consumer.parts[name] = fairness.latecomer(w) end
  end
  -- Without a look at all others, which would cost the more the more there are.
  consumer.lapsed, p.live, p.shares = false, p.live + 1, p.shares + consumer.share
end

-- What a silent consumer had in flight was sent, for all that is known. Its numbers are kept for longer, so that what it
-- tells again does not count twice.
local function lapse(p, consumer, now)
  for name, amount in pairs(consumer.held) do
    local w = p.windows[name]
    if w and amount > 0 then
      if w.fixed then
        fixed.settle(w, {amount = amount, index = -1}, nil, now, false)
      else
        sliding.settle(w, {amount = amount}, now)
      end
    end
  end
  for name, part in pairs(consumer.parts) do
    local w = p.windows[name]
    if w and w.fixed then fairness.leave(w, fairness.rolled(w, consumer, part)) end
  end
  consumer.held, consumer.parts, consumer.want, consumer.since, consumer.lapsed = {}, {}, 0, 0, true
end

-- Look through all consumers, once a second and at the turn of a window. `each` hands every other one to a function,
-- which says 'save' if it changed it and 'drop' if it is to be forgotten.
local function look(p, consumer, now, each)
  local live, shares = {consumer}, consumer.share
  each(function(other)
    if other.seen + LAPSE >= now then
      table.insert(live, other)
      shares = shares + other.share
      return nil
    end
    if other.seen + FORGOTTEN < now then return 'drop' end
    if other.lapsed then return nil end
    lapse(p, other, now)
    return 'save'
  end)
  p.live, p.shares, p.looked_at = #live, shares, now
  for name, w in pairs(p.windows) do
    if w.fixed and w.turn ~= w.index then fairness.turn(w, name, live, shares) end
  end
end

local function roll_parts(p, consumer, now)
  for name, w in pairs(p.windows) do
    local part = consumer.parts[name]
    consumer.parts[name] = w.fixed and fairness.rolled(w, consumer, part) or turns.rolled(w, part, now)
  end
end

local function hold(w, consumer, name, amount)
  local more, part = amount - (consumer.held[name] or 0), consumer.parts[name]
  w.in_flight = w.in_flight + more
  -- It was spent while the store was away.
  if part and more > 0 then part[2] = part[2] + more end
  consumer.held[name] = amount
end

-- A part of a request is over: {number, answered, window, amount, index, unreported, reported, resets, at, count}.
local function settle(p, consumer, ending, now)
  if ending[1] <= consumer.settled then return end
  consumer.settled = ending[1]
  local name, amount, count = ending[3], ending[4], ending[10]
  local w = p.windows[name]
  if not w then return end
  if type(count) ~= 'number' then count = nil end
  -- It may have been spent while the store was away, or have lapsed.
  if (consumer.held[name] or 0) < amount then hold(w, consumer, name, amount) end
  consumer.held[name] = consumer.held[name] - amount
  if w.fixed then
    local charge = {
      amount = amount, index = ending[5], unreported = ending[6], reported = ending[7], resets = ending[8],
      at = tonumber(ending[9]),
    }
    fixed.settle(w, charge, count, now, ending[2])
  else
    sliding.settle(w, {amount = amount}, now)
  end
end

-- ---------------------------------------------------------------------------------------------------------- message

-- Whether everything that one request wants fits; whoever is short of a window blocks it for those that come later.
local function fits(p, consumer, want, now, short)
  local all = now >= p.closed_until
  for _, need in ipairs(want) do
    local name, w = need[1], p.windows[need[1]]
    local ready = not short[name] and w and ready_at(w, consumer, consumer.parts[name], need[2], now, need[3])
    if ready ~= now then
      all = false
      if not short[name] then
        -- -1: only the end of a running request, or another limit, can help.
        short[name] = {ready and ready ~= math.huge and math.max(ready - now, pause(p, w)) or -1, need[2]}
      end
    end
  end
  return all
end

local function reserve(p, consumer, message, reply, now)
  local wants = message.wants
  local granted, short, taken, missing = {}, {}, {}, {}
  local unmet, head = 0, 0
  for number, want in ipairs(wants) do
    local fit = fits(p, consumer, want, now, short)
    granted[number] = fit and '1' or '0'
    for _, need in ipairs(want) do
      local name, amount = need[1], need[2]
      local w = p.windows[name]
      if fit then
        local charge = take(w, consumer.parts[name], amount, now)
        consumer.held[name] = (consumer.held[name] or 0) + amount
        taken[name] = (taken[name] or 0) + amount
        reply.taken[name] = {charge.index or 0, charge.unreported or 0, charge.reported or 0, charge.resets or 0}
      end
      if not fit then missing[name] = (missing[name] or 0) + amount end
      if w and w.fixed then w.share = need[3] end
    end
    if not fit then
      local amount = want[1] and want[1][2] or 0
      unmet = unmet + amount
      if head == 0 then head = amount end
    end
  end
  for name, row in pairs(reply.taken) do
    row[5] = p.windows[name].in_flight == taken[name]
  end
  reply.granted, reply.short = table.concat(granted), short
  if message.waits and #wants == 0 then
    -- It waits for the time that it was told, and says something else.
    return
  end
  for name, w in pairs(p.windows) do
    local amount = short[name] and missing[name] or 0
    if not w.fixed and (amount > 0 or w.waiting and w.waiting[1]) then
      turns.wait(w, consumer, consumer.parts[name], amount, now, now + math.max(0, amount > 0 and short[name][1] or 0))
    end
  end
  consumer.want, consumer.head = unmet, head
  if unmet == 0 then
    consumer.since = 0
  elseif consumer.since == 0 or next(taken) then
    -- Who gets something does not starve.
    consumer.since = now
  end
end

function pool.sync(p, consumer, message, now, each)
  if consumer and message.seq <= consumer.seq then
    -- Overtaken by a later one of the same consumer.
    return {stale = true}, consumer
  end
  if not next(p.windows) then
    if not message.table then return {unknown = true}, nil end
    learn_table(p, message.table, now)
    message.version = p.version
  elseif message.table and not message.learned and message.version ~= p.version then
    learn_kinds(p, message.table, now)
    if agrees(p, message.table) then message.version = p.version end
  end
  consumer = consumer or new_consumer(message.id, message.settled)
  consumer.seq, consumer.seen, consumer.share = message.seq, now, message.share
  if consumer.lapsed then join(p, consumer) end
  if message.clock then learn_clock(p, message.clock[1], message.clock[2], now) end
  set_clocks(p, now)
  local turned = false
  for _, w in pairs(p.windows) do
    module_of(w).roll(w, now)
    turned = turned or w.fixed and w.turn ~= w.index
  end
  if turned or p.looked_at + LOOK <= now then look(p, consumer, now, each) end
  roll_parts(p, consumer, now)

  for _, ending in ipairs(message.endings) do settle(p, consumer, ending, now) end
  for name in pairs(consumer.held) do
    if not message.held[name] then message.held[name] = 0 end
  end
  for name, amount in pairs(message.held) do
    if p.windows[name] then
      hold(p.windows[name], consumer, name, amount)
    else
      consumer.held[name] = nil
    end
  end
  if message.learned then
    -- After what has ended, which was charged to the windows of before.
    if not agrees(p, message.table) then
      learn_table(p, message.table, now)
      roll_parts(p, consumer, now)
    end
    message.version = p.version
  end
  -- Whichever process meets them, refusals in a row are those of the address, and each closes for longer.
  if message.passed then p.in_a_row = {0, 0, 0} end
  if message.gate then
    local closed, banned = now + message.gate[1], now + message.gate[2]
    if closed > p.closed_until then p.closed_until, p.reason = closed, message.gate[3] end
    if message.gate[2] > 0 then p.banned_until = math.max(p.banned_until, banned) end
    for kind = 1, 3 do p.in_a_row[kind] = math.max(p.in_a_row[kind], message.gate[3 + kind]) end
  end

  local reply = {granted = '', short = {}, taken = {}, used = {}, version = p.version, settled = consumer.settled}
  if message.version == p.version then
    reserve(p, consumer, message, reply, now)
  else
    reply.table = table_of(p)
  end
  reply.doubted = false
  for name, w in pairs(p.windows) do
    reply.used[name] = math.max(0, module_of(w).used(w))
    if w.fixed and believed_at(w, now) > 0 then reply.doubted = true end
  end
  reply.now, reply.live, reply.shares = exact(now), p.live, p.shares
  reply.in_a_row = p.in_a_row
  reply.closed, reply.banned, reply.reason = math.max(0, p.closed_until - now), math.max(0, p.banned_until - now), p.reason
  if message.leave then
    lapse(p, consumer, now)
    p.live, p.shares = p.live - 1, p.shares - consumer.share
    return reply, nil
  end
  return reply, consumer
end
