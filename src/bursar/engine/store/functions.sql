-- The functions of `store.base.Sql` on PostgreSQL. Statements end with a semicolon and an empty line.

CREATE FUNCTION balance(input numeric, output numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT input - output';

CREATE FUNCTION compare(a numeric, b numeric) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT sign(a - b)::integer';

CREATE AGGREGATE exact_sum(numeric) (SFUNC = numeric_add, STYPE = numeric, PARALLEL = SAFE);

CREATE FUNCTION member(object text, key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT object::json ->> key';

CREATE FUNCTION matches(value text, pattern text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT value ~ ('^(?:' || pattern || ')$')$$;

CREATE FUNCTION segments(address text, count bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT array_to_string((string_to_array(address, ':'))[1:least(count, 100000)::integer], ':')$$;

CREATE FUNCTION posting_matches(postings text, side text, pattern text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT EXISTS (
    SELECT 1 FROM json_array_elements(postings::json) posting WHERE (posting ->> side) ~ ('^(?:' || pattern || ')$')
  )
$$;

-- An unfinished escape at the end of a pattern means nothing.
CREATE FUNCTION like_text(value text, pattern text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT value LIKE CASE WHEN pattern ~ '^(?:[^\\]|\\.)*\\$' THEN left(pattern, -1) ELSE pattern END
$$;

-- BU001 is how a query is told from a fault: see QueryRefused.
CREATE FUNCTION single(count bigint, value integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF count > 1 THEN RAISE EXCEPTION 'more than one row' USING ERRCODE = 'BU001'; END IF;
  RETURN value;
END
$$;
