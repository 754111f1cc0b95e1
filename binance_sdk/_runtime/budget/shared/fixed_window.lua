-- A fixed window of request weight inside the store: `FixedWindow` of fixed_window.py, rule for rule, and compared with
-- it by a test. Every reason is given there. Times are seconds of the store's clock.
-- A window is a plain table, so that it can be packed: losses are pairs of time and amount.

local GUARD_BEFORE, GUARD_AFTER = 0.35, 0.12
local FOREIGN_MEMORY, FOREIGN_CUT = 0.5, 1.1
local MAX_ARRIVAL = 5.0

local fixed = {guard_after = GUARD_AFTER}

function fixed.new(limit, seconds, offset, uncertainty)
  return {
    limit = limit, seconds = seconds, offset = offset, uncertainty = uncertainty,
    index = -1, reported = 0, in_flight = 0, unreported = 0, covered = 0, lost = 0, late = 0,
    previous_used = 0, own = 0, foreign = 0, foreign_rate = 0, resets = 0, seen_at = 0, losses = {},
  }
end

function fixed.used(w)
  return w.reported + w.in_flight + w.unreported - w.covered + w.lost
end

function fixed.starts(w) return w.index * w.seconds - w.offset end
function fixed.ends(w) return (w.index + 1) * w.seconds - w.offset end
function fixed.opens(w) return fixed.starts(w) + GUARD_AFTER + w.uncertainty end
function fixed.next_opening(w) return fixed.ends(w) + GUARD_AFTER + w.uncertainty end

local function max_arrival(w) return math.min(MAX_ARRIVAL, w.seconds / 4) end

local function lose(w, amount, at)
  w.lost = w.lost + amount
  table.insert(w.losses, {at, amount})
end

local function learn_foreign(w)
  if w.index < 0 then return end
  if w.seen_at < fixed.starts(w) then
    w.foreign_rate = w.foreign_rate * FOREIGN_MEMORY
    return
  end
  local elapsed = math.max(w.seen_at - fixed.starts(w), w.seconds / 10)
  local rate = w.foreign / elapsed
  if w.reported + w.foreign_rate * elapsed / 10 >= w.limit then rate = rate * FOREIGN_CUT end
  local memory = w.foreign_rate ~= 0 and FOREIGN_MEMORY or 1.0
  w.foreign_rate = w.foreign_rate + memory * (rate - w.foreign_rate)
  if w.foreign_rate * w.seconds < w.limit / 1000 then w.foreign_rate = 0 end
end

function fixed.roll(w, now)
  local index = math.floor((now + w.offset) / w.seconds)
  if index <= w.index then return end
  local follows = index == w.index + 1
  learn_foreign(w)
  w.previous_used = follows and fixed.used(w) or w.in_flight
  local recent, sum, ends = {}, 0, fixed.ends(w)
  if follows then
    for _, loss in ipairs(w.losses) do
      if loss[1] + max_arrival(w) > ends then
        table.insert(recent, loss)
        sum = sum + loss[2]
      end
    end
  end
  w.unreported = follows and w.late + w.lost - sum or 0
  w.index, w.reported, w.covered, w.own, w.foreign, w.late = index, 0, 0, 0, 0, 0
  w.lost, w.losses = 0, {}
  for _, loss in ipairs(recent) do lose(w, loss[2], loss[1]) end
end

-- When `amount` could fit: `now` if it does, math.huge if it never will.
function fixed.ready_at(w, amount, now, share)
  fixed.roll(w, now)
  local limit = math.floor(w.limit * share + 1e-9)
  if amount > limit then return math.huge end
  local opens, used = fixed.opens(w), fixed.used(w)
  if now < opens and w.previous_used + amount > limit then
    return used + amount <= limit and opens or fixed.next_opening(w)
  end
  local room = limit - used - amount
  if room < 0 then return fixed.next_opening(w) end
  if room >= w.foreign_rate * (fixed.ends(w) - now) or used == 0 then return now end
  return math.max(now, fixed.ends(w) - room / w.foreign_rate)
end

-- Take an amount; the charge says what was known then, and comes back with the settlement.
function fixed.take(w, amount, now)
  fixed.roll(w, now)
  local early = now < fixed.opens(w)
  if early then w.previous_used = w.previous_used + amount end
  w.in_flight = w.in_flight + amount
  return {
    amount = amount, index = early and -1 or w.index, unreported = w.unreported, reported = w.reported,
    resets = w.resets, at = now,
  }
end

function fixed.refund(w, charge) w.in_flight = w.in_flight - charge.amount end

-- A window of another length, in which the exchange has counted all along and we begin to count.
function fixed.beside(known, limit, seconds, now)
  fixed.roll(known, now)
  local w = fixed.new(limit, seconds, known.offset, known.uncertainty)
  fixed.roll(w, now)
  w.unreported = fixed.used(known) - known.in_flight
  -- Requests in flight were not charged to it, so they will not be settled in it.
  lose(w, known.in_flight, now)
  return w
end

-- `reported` is the server's count, or nil; without an answer the request may still arrive.
function fixed.settle(w, charge, reported, now, answered)
  fixed.roll(w, now)
  w.in_flight = w.in_flight - charge.amount
  w.own = w.own + charge.amount
  if not answered then return lose(w, charge.amount, now) end
  if now >= fixed.ends(w) - GUARD_BEFORE - w.uncertainty then w.late = w.late + charge.amount end
  if charge.index ~= w.index or reported == nil then
    w.unreported = w.unreported + charge.amount
    return
  end
  if reported >= w.reported then
    w.reported = reported
    w.covered = math.max(w.covered, charge.unreported)
    if charge.resets == w.resets then
      while w.losses[1] and w.losses[1][1] + max_arrival(w) <= charge.at do
        w.lost = w.lost - table.remove(w.losses, 1)[2]
      end
    end
  elseif reported < charge.reported and charge.resets == w.resets then
    w.resets = w.resets + 1
    w.reported, w.covered = reported, math.min(w.unreported, charge.unreported)
  end
  w.foreign = math.max(w.foreign, reported - w.own - w.in_flight, 0)
  w.seen_at = now
end

function fixed.set_clock(w, offset, uncertainty, now)
  if w.index >= 0 and math.abs(offset - w.offset) > w.uncertainty + uncertainty + GUARD_AFTER then
    fixed.roll(w, now)
    w.index = math.floor((now + offset) / w.seconds)
  end
  w.offset, w.uncertainty = offset, uncertainty
end

function fixed.resize(w, limit, seconds, now)
  w.limit = limit
  if seconds == w.seconds then return end
  fixed.roll(w, now)
  w.unreported = fixed.used(w) - w.in_flight
  w.seconds, w.index = seconds, math.floor((now + w.offset) / seconds)
  w.reported, w.covered, w.late, w.own = 0, 0, 0, 0
  w.lost, w.losses = 0, {}
  w.previous_used, w.foreign, w.foreign_rate = fixed.used(w), 0, 0
  w.resets = w.resets + 1
end
