-- What converted rules ask of DuckDB (1.4 or later), in plain SQL. The meaning is that of Watchkeep's engine, to the letter.
-- A record is a JSON object, or a line of the Amazon S3 server access log. Lists hold text.

-- Unicode simple case folding, one character for one.
CREATE OR REPLACE TEMP MACRO wk_fold(t) AS
    CASE WHEN strlen(t) = length(t) THEN lower(t) ELSE translate(t, {FOLD_FROM}, {FOLD_TO}) END;

-- What a JSON string says. A lone surrogate says U+FFFD.
CREATE OR REPLACE TEMP MACRO wk_unquoted(t) AS CASE
    WHEN NOT contains(t, '\') THEN t[2:-2]
    WHEN json_valid(t) THEN (t::JSON) ->> '$'
    ELSE (replace(replace(regexp_replace(regexp_replace(replace(t, '\\', chr(1)),
        '\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})', chr(2) || '\1' || chr(2) || '\2', 'g'),
        '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g'), chr(2), '\u'), chr(1), '\\')::JSON) ->> '$' END;

-- Every value under the path as the record writes it, read token by token: slow, and only for records that the ways below
-- could read otherwise. A token carries the space behind it, so that `place` is where it stands. `outer` holds the open
-- objects and arrays with their paths and places.
CREATE OR REPLACE TEMP MACRO wk_walked(raw, path) AS list_reduce(
    regexp_extract_all(raw, '(?:"(?:[^"\\]|\\.)*"|[-+.eE0-9]+|true|false|null|[{}\[\],:])[ \t\r\n]*'),
    lambda s, t: struct_pack(
        place := s.place + length(t),
        last := t[1],
        levels := CASE
            WHEN t[1] IN ('{', '[') THEN list_prepend(struct_pack(is_object := t[1] = '{', path := s.path, place := s.place), s.levels)
            WHEN t[1] IN ('}', ']') THEN s.levels[2:]
            ELSE s.levels END,
        is_key := t[1] = '{' OR (t[1] = ',' AND s.levels[1].is_object),
        path := CASE
            WHEN t[1] = '"' AND s.is_key THEN coalesce(s.levels[1].path || '.', '') || wk_unquoted(rtrim(t, E' \t\r\n'))
            WHEN t[1] = ',' THEN s.levels[1].path
            ELSE s.path END,
        found := CASE
            WHEN t[1] = '}' OR (t[1] = ']' AND s.last = '[') THEN
                CASE WHEN s.levels[1].path = path THEN list_append(s.found, raw[s.levels[1].place:s.place]) ELSE s.found END
            WHEN s.is_key OR t[1] IN ('{', '[', ']', ',', ':') OR s.path IS DISTINCT FROM path THEN s.found
            ELSE list_append(s.found, rtrim(t, E' \t\r\n')) END),
    struct_pack(place := 1::BIGINT, last := '', levels := []::STRUCT(is_object BOOLEAN, path VARCHAR, place BIGINT)[],
        is_key := false, path := NULL::VARCHAR, found := []::VARCHAR[])).found;

-- The same, level by level: a step takes an array apart, or goes from an object to those of its keys with which the rest of the path
-- begins, so that keys with dots are met. Every step takes a segment or a bracket, so there are no more than both together.
CREATE OR REPLACE TEMP MACRO wk_stepped(raw, path) AS list_transform(list_filter(list_reduce(
    range(len(string_split(path, '.')) + length(raw) - length(replace(raw, '[', ''))),
    lambda front, i: flatten(list_transform(front, lambda n: CASE
        WHEN n.node[1] = '[' AND n.node <> '[]' THEN
            list_transform(json_extract(n.node, '$[*]'), lambda e: struct_pack(node := e::VARCHAR, rest := n.rest))
        WHEN n.rest IS NULL THEN [n]
        WHEN n.node[1] = '{' THEN list_transform(
            list_filter(json_keys(n.node), lambda k: k = n.rest OR starts_with(n.rest, k || '.')),
            lambda k: struct_pack(node := json_extract(n.node, '/' || replace(replace(k, '~', '~0'), '/', '~1'))::VARCHAR,
                rest := CASE WHEN k <> n.rest THEN substr(n.rest, length(k) + 2) END))
        ELSE [] END)),
    [struct_pack(node := raw, rest := path)]), lambda n: n.rest IS NULL), lambda n: n.node);


-- Every value under the path, as JSON. Where neither escapes nor dotted keys can stand in the way, nor an array that a segment would
-- count, one look is enough but where an array is on the way or holds another.
CREATE OR REPLACE TEMP MACRO wk_nodes(raw, path) AS CASE
    WHEN contains(raw, '\u') AND NOT json_valid(raw) THEN wk_walked(raw, path)
    WHEN contains(raw, '\u') OR contains(raw, '\/') OR regexp_matches(path, '["\\\x00-\x1F]|(?:^|\.)[0-9]+(?:\.|$)') OR len(list_filter(list_zip(string_split(path, '.')[:-2], string_split(path, '.')[2:]),
        lambda pair: contains(raw, pair[1] || '.' || pair[2]))) > 0 THEN wk_stepped(raw, path)
    ELSE list_transform(
        [json_extract(raw, '/' || replace(replace(replace(path, '~', '~0'), '/', '~1'), '.', '/'))::VARCHAR],
        lambda node: CASE
            WHEN node[1] NOT IN ('[') THEN [node]
            WHEN node IS NULL AND NOT contains(raw, '"' || string_split(path, '.')[-1] || '"') THEN []
            WHEN node IS NULL OR starts_with(node, '[[') OR contains(node, ',[') THEN wk_stepped(raw, path)
            WHEN node <> '[]' THEN json_extract(node, '$[*]')::VARCHAR[]
            ELSE [node] END)[1] END;

-- The fields of a line, in order, and the one that the path names.
CREATE OR REPLACE TEMP MACRO wk_line(raw, path) AS list_filter([list_transform(
    regexp_extract_all(raw, '".*?"(?: |$)|\[[^\]]*\]|[^ ]+', 0, 's'),
    lambda t: CASE t[1] WHEN '"' THEN rtrim(t, ' ')[2:-2] WHEN '[' THEN t[2:-2] ELSE t END
    )[{LINE_PLACES}[list_position({LINE_NAMES}, path)]]], lambda t: t IS NOT NULL);

-- What the values under the path say. DuckDB writes decimals, objects and empty lists its own way, so those are read again.
CREATE OR REPLACE TEMP MACRO wk_written(raw, path) AS list_transform([wk_nodes(raw, path)], lambda nodes: CASE
    WHEN len(list_filter(nodes, lambda n: n[1] NOT IN ('"', 't', 'f', 'n') AND NOT regexp_full_match(n, '-?[1-9][0-9]*')
        AND (n <> '0' OR contains(raw, '-0')))) > 0 AND CASE WHEN json_valid(raw) THEN json(raw)::VARCHAR <> raw ELSE false END
        THEN wk_walked(raw, path)
    ELSE nodes END)[1];
CREATE OR REPLACE TEMP MACRO wk_values(raw, path) AS CASE
    WHEN NOT starts_with(raw, '{') THEN wk_line(raw, path)
    ELSE list_filter(list_transform(wk_written(raw, path),
        lambda n: CASE WHEN n[1] = '"' THEN wk_unquoted(n) WHEN n <> 'null' THEN n END), lambda t: t IS NOT NULL) END;
-- The same without empty lists.
CREATE OR REPLACE TEMP MACRO wk_elements(raw, path) AS CASE
    WHEN NOT starts_with(raw, '{') THEN wk_line(raw, path)
    ELSE list_filter(list_transform(wk_written(raw, path),
        lambda n: CASE WHEN n[1] = '"' THEN wk_unquoted(n) WHEN n <> 'null' AND n[1] <> '[' THEN n END), lambda t: t IS NOT NULL) END;
CREATE OR REPLACE TEMP MACRO wk_folded(texts) AS list_transform(texts, lambda t: wk_fold(t));
-- The numbers among them; whether there is any value, `null` too; whether there is none, or one is `null`.
CREATE OR REPLACE TEMP MACRO wk_numbers(raw, path) AS
    CASE WHEN starts_with(raw, '{') THEN list_filter(wk_nodes(raw, path), lambda n: n[1] BETWEEN '0' AND '9' OR n[1] = '-') ELSE [] END;
CREATE OR REPLACE TEMP MACRO wk_has(raw, path) AS
    len(CASE WHEN starts_with(raw, '{') THEN wk_nodes(raw, path) ELSE wk_line(raw, path) END) > 0;
CREATE OR REPLACE TEMP MACRO wk_is_null(raw, path) AS list_transform(
    [CASE WHEN starts_with(raw, '{') THEN wk_nodes(raw, path) ELSE list_transform(wk_line(raw, path), lambda t: '"') END],
    lambda nodes: len(nodes) = 0 OR list_contains(nodes, 'null'))[1];
-- Every string and number of the record, keys left out.
CREATE OR REPLACE TEMP MACRO wk_leaves(raw) AS CASE
    WHEN NOT starts_with(raw, '{') THEN [raw]
    ELSE list_transform(list_filter(
        regexp_extract_all(raw, '"(?:[^"\\]|\\.)*"[ \t\r\n]*:?|-?[0-9][-+.eE0-9]*'), lambda t: NOT ends_with(t, ':')),
        lambda t: CASE WHEN t[1] = '"' THEN wk_unquoted(rtrim(t, E' \t\r\n')) ELSE t END) END;

-- Does one text of the first list stand so to one of the second?
CREATE OR REPLACE TEMP MACRO wk_is(texts, others) AS list_has_any(texts, others);
CREATE OR REPLACE TEMP MACRO wk_starts_with(texts, others) AS
    len(list_filter(texts, lambda t: len(list_filter(others, lambda o: starts_with(t, o))) > 0)) > 0;
CREATE OR REPLACE TEMP MACRO wk_ends_with(texts, others) AS
    len(list_filter(texts, lambda t: len(list_filter(others, lambda o: ends_with(t, o))) > 0)) > 0;
CREATE OR REPLACE TEMP MACRO wk_contains(texts, others) AS
    len(list_filter(texts, lambda t: len(list_filter(others, lambda o: contains(t, o))) > 0)) > 0;
-- Does one text of the list hold the regular expression?
CREATE OR REPLACE TEMP MACRO wk_matches(texts, expression) AS
    len(list_filter(texts, lambda t: regexp_matches(t, expression))) > 0;

-- A number as rules and records write it: exactly where it is whole, else as double precision.
CREATE OR REPLACE TEMP MACRO wk_trimmed(t) AS trim(t, {SPACES});
CREATE OR REPLACE TEMP MACRO wk_digits(t, base) AS list_reduce(
    string_split(lower(t), ''), lambda sum, d: sum * base + (strpos('0123456789abcdef', d) - 1), 0::HUGEINT);
CREATE OR REPLACE TEMP MACRO wk_number(number) AS list_transform([regexp_replace(number, '^\+', '')], lambda t: CASE
    WHEN regexp_full_match(t, '[+-]?[0-9]+') AND TRY_CAST(ltrim(t, '+') AS HUGEINT) IS NOT NULL THEN
        struct_pack(whole := ltrim(t, '+')::HUGEINT, decimal := NULL::DOUBLE)
    WHEN regexp_full_match(t, '[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?') THEN list_transform([ltrim(t, '+')::DOUBLE],
        lambda n: CASE
            WHEN n = trunc(n) AND abs(n) < 9e15 THEN struct_pack(whole := n::HUGEINT, decimal := NULL::DOUBLE)
            ELSE struct_pack(whole := NULL::HUGEINT, decimal := n) END)[1]
    WHEN regexp_full_match(t, '0x[+-]?0*(?:[0-9a-fA-F]{1,31}|[1-7][0-9a-fA-F]{31}|0)') THEN struct_pack(
        whole := wk_digits(regexp_replace(t, '^0x[+-]?', ''), 16) * CASE WHEN t[3] = '-' THEN -1 ELSE 1 END, decimal := NULL::DOUBLE)
    WHEN regexp_full_match(t, '0o[+-]?0*(?:[0-7]{1,42}|1[0-7]{42}|0)') THEN struct_pack(
        whole := wk_digits(regexp_replace(t, '^0o[+-]?', ''), 8) * CASE WHEN t[3] = '-' THEN -1 ELSE 1 END, decimal := NULL::DOUBLE)
    END)[1];
-- Is one text of the list a number that stands so to the other one: '<', '<=', '>', '>=' or '='?
CREATE OR REPLACE TEMP MACRO wk_compare(texts, relation, other) AS list_transform([wk_number(other)], lambda b: list_bool_or(list_transform(
    list_transform(texts, lambda t: wk_number(wk_trimmed(t))),
    lambda a: list_transform(
        [CASE WHEN a.whole IS NOT NULL AND b.whole IS NOT NULL THEN (a.whole > b.whole)::TINYINT - (a.whole < b.whole)::TINYINT
            ELSE (coalesce(a.decimal, a.whole::DOUBLE) > coalesce(b.decimal, b.whole::DOUBLE))::TINYINT
                - (coalesce(a.decimal, a.whole::DOUBLE) < coalesce(b.decimal, b.whole::DOUBLE))::TINYINT END],
        lambda n: coalesce(CASE relation WHEN '<' THEN n < 0 WHEN '<=' THEN n <= 0 WHEN '>' THEN n > 0 WHEN '>=' THEN n >= 0
            ELSE n = 0 END, false))[1])) IS TRUE)[1];

-- The `minute`, `hour`, `day`, `week`, `month` or `year` of the times in the list, as written; a bare number counts since 1970, in UTC.
CREATE OR REPLACE TEMP MACRO wk_moment(t) AS CASE
    WHEN regexp_full_match(t, '[0-9.]+') THEN list_transform(
        list_transform([wk_number(t)], lambda n: CASE
            WHEN n.whole IS NOT NULL THEN TRY_CAST(n.whole AS BIGINT)
            WHEN n.decimal IS NOT NULL THEN least(trunc(n.decimal), 9223372036854774784)::BIGINT END),
        lambda n: epoch_ms(CASE
            WHEN n < 100000000000 THEN n * 1000 WHEN n < 100000000000000 THEN n
            WHEN n < 100000000000000000 THEN n // 1000 ELSE n // 1000000 END))[1]
    WHEN regexp_matches(t, '^[0-9]{4}(?:-[0-9]{2}-|/[0-9]{2}/)[0-9]{2}(?:$|[^Tt ]|[Tt ](?:[01][0-9]|2[0-3])[\x00-\x7F][0-9]{2})') THEN
        TRY_CAST(concat(t[1:4], '-', t[6:7], '-', t[9:10], ' ',
            CASE WHEN t[11] IN ('T', 't', ' ') THEN t[12:13] || ':' || t[15:16] ELSE '00:00' END, ':00') AS TIMESTAMP) END;
CREATE OR REPLACE TEMP MACRO wk_time_parts(texts, part) AS list_filter(
    list_transform(list_transform(texts, lambda t: wk_trimmed(t)), lambda t: date_part(part, wk_moment(t))::VARCHAR),
    lambda n: n IS NOT NULL);

-- An address as text of bits, and whether one of the list is in one of the networks. IPv4 inside of IPv6 counts as IPv4.
CREATE OR REPLACE TEMP MACRO wk_bits4(t) AS CASE
    WHEN regexp_full_match(t, '(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])') THEN
        array_to_string(list_transform(string_split(t, '.'), lambda n: lpad(bin(n::INTEGER), 8, '0')), '') END;
CREATE OR REPLACE TEMP MACRO wk_groups(t) AS array_to_string(list_transform(
    list_filter(string_split(t, ':'), lambda g: g <> ''),
    lambda g: CASE WHEN contains(g, '.') THEN wk_bits4(g) ELSE unhex(lpad(g, 4, '0'))::BIT::VARCHAR END), '');
CREATE OR REPLACE TEMP MACRO wk_bits6(t) AS CASE
    WHEN regexp_full_match(t, '(?:(?:[0-9a-fA-F]{1,4}:)*[0-9a-fA-F]{1,4})?::(?:(?:[0-9a-fA-F]{1,4}:)*(?:[0-9a-fA-F]{1,4}|[0-9.]+))?')
        AND (NOT contains(t, '.') OR wk_bits4(string_split(t, ':')[-1]) IS NOT NULL) THEN list_transform(
        [list_transform(string_split(t, '::'), lambda half: wk_groups(half))],
        lambda halves: CASE WHEN length(halves[1]) + length(halves[2]) <= 112 THEN
            rpad(halves[1], (128 - length(halves[2]))::INTEGER, '0') || halves[2] END)[1]
    WHEN regexp_full_match(t, '(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}') THEN wk_groups(t)
    WHEN regexp_full_match(t, '(?:[0-9a-fA-F]{1,4}:){6}[0-9.]+') AND wk_bits4(string_split(t, ':')[-1]) IS NOT NULL THEN wk_groups(t) END;
CREATE OR REPLACE TEMP MACRO wk_in_network(texts, networks) AS wk_starts_with(
    list_filter(list_transform(
        list_transform(texts, lambda t: string_split(rtrim(ltrim(wk_trimmed(t), '['), ']'), '%')[1]),
        lambda t: CASE WHEN contains(t, ':') THEN list_transform([wk_bits6(t)], lambda bits:
                CASE WHEN starts_with(bits, repeat('0', 80) || repeat('1', 16)) THEN '4:' || bits[97:] ELSE '6:' || bits END)[1]
            ELSE '4:' || wk_bits4(t) END), lambda bits: bits IS NOT NULL),
    list_transform(list_transform(networks, lambda n: string_split(n, '/')), lambda n: CASE
        WHEN contains(n[1], ':') THEN '6:' || wk_bits6(n[1])[:n[2]::INTEGER]
        ELSE '4:' || wk_bits4(n[1])[:n[2]::INTEGER] END));
