-- The load script for wrk. The word after "--" chooses what each request looks like:
--   plain     what wrk sends by itself
--   browser   the header lines of a browser that comes back with its cookies
--   close     Connection: close, so a new connection for each request
--   hosts N   cycles over N host names and ten paths, always in the same order
-- All but "hosts" leave one fixed request, which wrk repeats without calling Lua.
local kLocations = 10
local kStride = 7919  -- a prime: every host is asked, neighbours are not asked in a row

local browser = {
    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        .. "Chrome/124.0.0.0 Safari/537.36",
    ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
        .. "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    ["Accept-Language"] = "en-GB,en;q=0.9,de;q=0.8",
    ["Accept-Encoding"] = "gzip, deflate, br, zstd",
    ["Referer"] = "https://shop.example.com/catalogue/garden/tools?page=3&sort=price",
    ["Cookie"] = "session=4f9c2a7e1b8d4c6f9a0e3d5b7c1f2a48; csrftoken=Zk3VtQ8rN1xYpL6sWb2HfJ7uDg4; "
        .. "_ga=GA1.1.1387265412.1714470213; _ga_8JX2=GS1.1.1714470213.7.1.1714471892.0.0.0; "
        .. "consent=necessary%2Canalytics; theme=dark; lang=en-GB; basket=3",
    ["Connection"] = "keep-alive",
    ["Cache-Control"] = "max-age=0",
    ["Upgrade-Insecure-Requests"] = "1",
    ["Sec-Fetch-Dest"] = "document",
    ["Sec-Fetch-Mode"] = "navigate",
    ["Sec-Fetch-Site"] = "same-origin",
    ["Sec-Fetch-User"] = "?1",
    ["sec-ch-ua"] = '"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"',
    ["sec-ch-ua-mobile"] = "?0",
    ["sec-ch-ua-platform"] = '"Linux"',
}

local function prepare_hosts(count)
    local requests = {}
    for i = 0, count - 1 do
        local host = (i * kStride) % count
        local path = string.format("/l%d%s", i % kLocations, wrk.path)
        local headers = { Host = string.format("h%05d.bench.example", host) }
        requests[i + 1] = wrk.format("GET", path, headers)
    end
    local next_one = 0
    request = function()
        next_one = next_one % count + 1
        return requests[next_one]
    end
end

function init(args)
    local mode = args[1] or "plain"
    if mode == "browser" then
        for name, value in pairs(browser) do wrk.headers[name] = value end
    elseif mode == "close" then
        wrk.headers["Connection"] = "close"
    elseif mode == "hosts" then
        prepare_hosts(tonumber(args[2]))
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'bench-result {"requests": %d, "seconds": %.6f, "bytes": %d, "p50_us": %d, "p99_us": %d, '
            .. '"bad": {"status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}}\n',
        summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50),
        latency:percentile(99), errors.status, errors.connect, errors.read, errors.write,
        errors.timeout))
end
