"""Each step of a queue in Redis, as a script: the server runs it wholly or not at all.

Four keys: `items`, a stream whose consumer group holds what is leased; `states`, a
hash from an item's key to where it is; `parked`, a stream; `paused`, there or not.

A state is a letter and more:
    w<attempts>             waiting, or given back
    l<token> <worker>       leased
    d<token> <worker>       done by that lease
    p<id>,<token> <worker>  parked under that id of the stream

A token is `<id in items>:<attempt>:<nonce>`. A released entry stays in the group's hands,
idle since 1970, so that it comes before all others; the consumer `free` has it meanwhile.
"""

from __future__ import annotations

_COMMON = """
local items, states, parked, paused = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local GROUP, FREE = 'workers', 'free'
local LONG_AGO = 1e12

local function holds(key, mine)
    return redis.call('HGET', states, key) == 'l' .. mine
end

local function field(entry, name)
    for i = 1, #entry[2], 2 do
        if entry[2][i] == name then return entry[2][i + 1] end
    end
    return ''
end

local function drop(id)
    redis.call('XACK', items, GROUP, id)
    redis.call('XDEL', items, id)
end

local function park(id, key, mine, attempts, reason)
    local entry = redis.call('XRANGE', items, id, id)[1]
    if not entry then return end
    local place = redis.call('XADD', parked, '*', 'key', key, 'body', field(entry, 'body'),
        'attempts', attempts, 'reason', reason)
    redis.call('HSET', states, key, 'p' .. place .. ',' .. mine)
    drop(id)
end

-- What somebody else wrote may be no number, negative, or no end ("nan", "inf").
local function times(text)
    local number = tonumber(text) or 0
    if not (number > 0) then return 0 end
    return math.floor(math.min(number, 1e6))
end

local function parse(token)
    return string.match(token, '^([^:]*):([^:]*)')
end
"""

OPEN = (
    _COMMON
    + """
for key, kind in pairs({[items] = 'stream', [states] = 'hash', [parked] = 'stream'}) do
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= kind then return key end
end
local made = redis.pcall('XGROUP', 'CREATE', items, GROUP, '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
return false
"""
)
"""Makes the group where it is missing; returns the key that holds something else, or nothing."""

ENQUEUE = (
    _COMMON
    + """
local added = 0
for i = 2, #ARGV, 2 do
    local key, state = ARGV[i], redis.call('HGET', states, ARGV[i])
    if not state or (ARGV[1] == 'redo' and string.sub(state, 1, 1) == 'd') then
        redis.call('XADD', items, '*', 'key', key, 'body', ARGV[i + 1])
        redis.call('HSET', states, key, 'w0')
        added = added + 1
    end
end
return added
"""
)
"""Takes `redo` or nothing, then keys and bodies; returns how many are newly waiting."""

LEASE = (
    _COMMON
    + """
local worker, count, idle_ms, most = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local nonce, died = ARGV[5], ARGV[6]
local consumer = 'worker ' .. worker
if redis.call('EXISTS', paused) == 1 then return {} end

local function give(entry, attempts)
    local token = entry[1] .. ':' .. attempts .. ':' .. nonce
    redis.call('HSET', states, field(entry, 'key'), 'l' .. token .. ' ' .. worker)
    return {field(entry, 'body'), attempts, token}
end

local function claim(found)
    redis.call('XCLAIM', items, GROUP, consumer, 0, found.entry[1], 'JUSTID')
    return give(found.entry, found.attempts + 1)
end

local function returned()
    local all, parked_some = {}, false
    local idle = redis.call('XPENDING', items, GROUP, 'IDLE', idle_ms, '-', '+', count)
    for _, pending in ipairs(idle) do
        local entry = redis.call('XRANGE', items, pending[1], pending[1])[1]
        if not entry then
            redis.call('XACK', items, GROUP, pending[1])
        else
            local key = field(entry, 'key')
            local state = redis.call('HGET', states, key) or 'w0'
            local mine = string.sub(state, 2)
            if string.sub(state, 1, 1) == 'l' then
                local _, attempt = parse(mine)
                local attempts = times(attempt)
                if attempts >= most then
                    local holder = string.match(mine, ' (.*)$') or ''
                    park(entry[1], key, mine, attempts, string.format(died, attempts, holder))
                    parked_some = true
                else
                    local last = attempts + 1 >= most
                    all[#all + 1] = {entry = entry, attempts = attempts, last = last}
                end
            else
                all[#all + 1] = {entry = entry, attempts = times(mine)}
            end
        end
    end
    return all, parked_some
end

local found, again
repeat found, again = returned() until not again
for _, one in ipairs(found) do
    if one.last then return {claim(one)} end
end
local leased = {}
for _, one in ipairs(found) do leased[#leased + 1] = claim(one) end
if #leased < count then
    local new = redis.call('XREADGROUP', 'GROUP', GROUP, consumer,
        'COUNT', count - #leased, 'STREAMS', items, '>')
    for _, entry in ipairs(new and new[1][2] or {}) do
        local state = redis.call('HGET', states, field(entry, 'key')) or 'w0'
        leased[#leased + 1] = give(entry, times(string.sub(state, 2)) + 1)
    end
end
return leased
"""
)
"""Takes worker, count, milliseconds of a lease, most attempts, a nonce and the words for a death.

Returns bodies with attempts and tokens. XAUTOCLAIM would say neither who held an item nor how
often it was tried before it claims it, so XPENDING looks and XCLAIM takes.
"""

RENEW = (
    _COMMON
    + """
local lost = {}
for i = 2, #ARGV, 2 do
    local key, token = ARGV[i], ARGV[i + 1]
    local kept = {}
    if holds(key, token .. ' ' .. ARGV[1]) then
        local id = parse(token)
        kept = redis.call('XCLAIM', items, GROUP, 'worker ' .. ARGV[1], 0, id, 'JUSTID')
    end
    if #kept == 0 then lost[#lost + 1] = token end
end
return lost
"""
)
"""Takes worker, then keys and tokens; returns the tokens of leases that are lost."""

COMPLETE = (
    _COMMON
    + """
local won = {}
for i = 2, #ARGV, 2 do
    local key, mine = ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[1]
    local state = redis.call('HGET', states, key)
    local place = state and string.match(state, '^p(.-),')
    if place and state == 'p' .. place .. ',' .. mine then
        redis.call('XDEL', parked, place)
        state = false
    elseif state == 'l' .. mine then
        drop((parse(mine)))
        state = false
    end
    if not state or state == 'd' .. mine then
        redis.call('HSET', states, key, 'd' .. mine)
        won[#won + 1] = ARGV[i + 1]
    end
end
return won
"""
)
"""Takes worker, then keys and tokens; returns the tokens of the leases that did their items."""

FAIL = (
    _COMMON
    + """
local key, mine, most, reason = ARGV[2], ARGV[3] .. ' ' .. ARGV[1], tonumber(ARGV[4]), ARGV[5]
if not holds(key, mine) then return 0 end
local id, attempt = parse(mine)
local attempts = times(attempt)
if attempts >= most then
    park(id, key, mine, attempts, reason)
    return 1
end
local entry = redis.call('XRANGE', items, id, id)[1]
if entry then
    redis.call('XADD', items, '*', 'key', key, 'body', field(entry, 'body'))
    redis.call('HSET', states, key, 'w' .. attempts)
    drop(id)
end
return 0
"""
)
"""Takes worker, key, token, most attempts (0 parks at once) and reason; returns 1 when parked."""

RELEASE = (
    _COMMON
    + """
for i = 2, #ARGV, 2 do
    local key, mine = ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[1]
    if holds(key, mine) then
        local id, attempt = parse(mine)
        redis.call('XCLAIM', items, GROUP, FREE, 0, id, 'TIME', 1, 'JUSTID')
        redis.call('HSET', states, key, 'w' .. times(times(attempt) - 1))
    end
end
return false
"""
)
"""Takes worker, then keys and tokens."""

ABANDON = (
    _COMMON
    + """
local consumer, some = 'worker ' .. ARGV[1], 0
for _, pending in ipairs(redis.call('XPENDING', items, GROUP, '-', '+', 1000, consumer)) do
    if pending[3] < LONG_AGO then
        redis.call('XCLAIM', items, GROUP, consumer, 0, pending[1], 'TIME', 1, 'JUSTID')
        some = some + 1
    end
end
return some
"""
)
"""Takes a worker; returns how many of its leases run out by this, at most 1,000."""

WITHDRAW = (
    _COMMON
    + """
local entries = redis.call('XRANGE', items, '-', '+', 'COUNT', 1000)
for _, entry in ipairs(entries) do
    redis.call('HSET', states, field(entry, 'key'), 'dwithdrawn')
    drop(entry[1])
end
return #entries
"""
)
"""Takes nothing; returns how many entries it took back, at most 1,000."""

COUNTS = (
    _COMMON
    + """
local entries, free = redis.call('XLEN', items), 0
local pending = redis.call('XPENDING', items, GROUP)
local leased = pending[1]
for _, consumer in ipairs(pending[4] or {}) do
    if consumer[1] == FREE then free = tonumber(consumer[2]) end
end
local lying = redis.call('XLEN', parked)
local done = math.max(0, redis.call('HLEN', states) - entries - lying)
return {entries - leased + free, leased - free, done, lying, redis.call('EXISTS', paused)}
"""
)
"""Returns waiting, leased, done, parked and paused."""

UNPARK = (
    _COMMON
    + """
local count = 0
for _, id in ipairs(ARGV) do
    local entry = redis.call('XRANGE', parked, id, id)[1]
    if entry then
        local key = field(entry, 'key')
        redis.call('XADD', items, '*', 'key', key, 'body', field(entry, 'body'))
        redis.call('HSET', states, key, 'w0')
        redis.call('XDEL', parked, id)
        count = count + 1
    end
end
return count
"""
)
"""Takes ids of parked entries; returns how many were unparked."""
