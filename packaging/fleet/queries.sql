-- SPDX-License-Identifier: GPL-3.0-or-later
-- Questions that only a fleet can answer. Each begins with its name. Narrow the
-- days in its WHERE.

-- stripped_at_some_sites
-- Servers whose list lacks STARTTLS as one site sees it and has it as another
-- does, within the same days: somebody on the way to the first takes it out.
-- Where all sites miss it, it is the server that has changed.
SELECT
    server,
    server_port,
    groupUniqArrayIf(site, missing > 0) AS stripped_at,
    groupUniqArrayIf(site, missing = 0) AS whole_at,
    sum(missing) AS lists_without
FROM (
    SELECT server, server_port, site, sum(lists) AS n, sum(lists) - sum(with_starttls) AS missing
    FROM stripwire.servers_by_site
    WHERE day >= today() - 7
    GROUP BY server, server_port, site
    HAVING n > 0
)
GROUP BY server, server_port
HAVING notEmpty(stripped_at) AND notEmpty(whole_at)
ORDER BY lists_without DESC, server, server_port;

-- key_at_one_site
-- A server's key that one site alone has met, while another site met other keys
-- of this server: an interceptor near that site, or a server that is not the
-- same everywhere (anycast, a cluster: then the key is trusted and stays).
SELECT
    server,
    server_port,
    key_sha256,
    any(site) AS only_at,
    sum(handshakes) AS times,
    min(day) AS first_day,
    max(day) AS last_day
FROM stripwire.keys_by_site
WHERE day >= today() - 7
GROUP BY server, server_port, key_sha256
HAVING uniqExact(site) = 1
    AND (server, server_port) IN (
        SELECT server, server_port
        FROM stripwire.keys_by_site
        WHERE day >= today() - 7
        GROUP BY server, server_port
        HAVING uniqExact(site) > 1 AND uniqExact(key_sha256) > 1
    )
ORDER BY server, server_port, key_sha256;

-- same_connection_other_list
-- One connection, known by its addresses, ports and initial sequence number,
-- was seen at two vantage points, and the capability lists differ: it was
-- changed between the two.
SELECT
    client,
    client_port,
    server,
    server_port,
    min(start) AS began,
    groupArray(site) AS sites,
    groupArray(starttls) AS starttls_there,
    groupArray(capabilities) AS lists
FROM (
    SELECT *
    FROM stripwire.flows
    WHERE start >= now() - 7 * 86400 AND isn_client != 0 AND capabilities_complete
    ORDER BY site
)
GROUP BY client, client_port, server, server_port, isn_client
HAVING uniqExact(site, interface) > 1 AND uniqExact(capabilities_hash) > 1
ORDER BY began, client, client_port;

-- same_ports_other_numbers
-- The same addresses and ports at the same time, and other initial sequence
-- numbers: what looks like one connection is two, with somebody between them
-- who ends the one and makes the other (a transparent proxy).
SELECT
    client,
    client_port,
    server,
    server_port,
    min(start) AS began,
    groupUniqArray(site) AS sites,
    groupUniqArray(isn_client) AS numbers
FROM stripwire.flows
WHERE start >= now() - 7 * 86400 AND isn_client != 0
GROUP BY client, client_port, server, server_port, intDiv(toUInt32(start), 60)
HAVING uniqExact(site, interface) > 1 AND uniqExact(isn_client) > 1
    AND max(start) - min(start) <= 5
ORDER BY began, client, client_port;

-- one_key_many_servers
-- A key that many servers seem to have, at one site only: a product that makes
-- certificates on the fly with one key does so.
SELECT
    key_sha256,
    any(site) AS only_at,
    uniqExact(server) AS servers,
    sum(handshakes) AS times
FROM stripwire.keys_by_site
WHERE day >= today() - 7
GROUP BY key_sha256
HAVING uniqExact(site) = 1 AND servers >= 3
ORDER BY servers DESC, key_sha256;
