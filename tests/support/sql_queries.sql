-- SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
--
-- Queries for sql_oracle.py, over the tables of sql_oracle_tables.py. What each must give is what
-- PostgreSQL gives. A query ends with a semicolon at the end of a line. Marks stand in a line of their
-- own before it:
--   --@ error    PostgreSQL must fail, and we in its words; without this mark it must not
--   --@ ties     ORDER BY does not determine the order of the rows
--   --@ number   numerics are compared as numbers: their scale depends on the order of the records
--   --@ refused  what may be not supported (UNIMPLEMENTED); without this mark it must be

-- == counts and every aggregate on every type

SELECT count(*) FROM mixed;
SELECT count(*) FROM nothing;
SELECT count(*), count(n), count(name), count(CASE WHEN flag THEN 1 END) FROM mixed;
SELECT count(1), count('x'), count(nullif(ub, 0)) FROM mixed;
SELECT sum(tiny), avg(tiny), min(tiny), max(tiny), count(tiny) FROM mixed;
SELECT sum(small), avg(small), min(small), max(small), count(small) FROM mixed;
SELECT sum(n), avg(n), min(n), max(n), count(n) FROM mixed;
SELECT sum(big), avg(big), min(big), max(big), count(big) FROM mixed;
SELECT sum(ub), avg(ub), min(ub), max(ub) FROM mixed;
SELECT sum(us), avg(us), min(us), max(us) FROM mixed;
SELECT sum(un), avg(un), min(un), max(un) FROM mixed;
SELECT sum(ubig), avg(ubig), min(ubig), max(ubig) FROM mixed;
SELECT sum(r4), avg(r4), min(r4), max(r4), count(r4) FROM mixed;
SELECT sum(r8), avg(r8), min(r8), max(r8), count(r8) FROM mixed;
SELECT bool_and(flag), bool_or(flag), every(flag), count(flag) FROM mixed;
SELECT bool_and(n < 1000000), bool_or(n > 1000000), bool_and(r8 = r8) FROM mixed;
SELECT min(code), max(code), count(code) FROM mixed;
SELECT min(name), max(name), min("order"), max("order") FROM mixed;
SELECT min(day), max(day), count(day) FROM mixed;
SELECT min(at), max(at), count(at) FROM mixed;
SELECT sum(price), avg(price), min(price), max(price), count(price) FROM mixed;
SELECT sum(rate), avg(rate), min(rate), max(rate) FROM mixed;
SELECT sum(whole), avg(whole), min(whole), max(whole) FROM mixed;
SELECT sum(micro), avg(micro), min(micro), max(micro) FROM mixed;
SELECT sum("Mixed Case"), min("Mixed Case"), max("Mixed Case") FROM mixed;

-- the same at the ends of the ranges
SELECT sum(tiny), avg(tiny), min(tiny), max(tiny) FROM edge;
SELECT sum(small), avg(small), min(small), max(small) FROM edge;
SELECT sum(n), avg(n), min(n), max(n) FROM edge;
SELECT sum(big), avg(big), min(big), max(big) FROM edge;
SELECT sum(un), avg(un), sum(ubig), avg(ubig), max(ubig) FROM edge;
SELECT sum(price), avg(price), sum(rate), avg(rate) FROM edge;
SELECT sum(whole), avg(whole), min(whole), max(whole) FROM edge;
SELECT sum(micro), avg(micro), min(micro), max(micro) FROM edge;
SELECT min(day), max(day), min(at), max(at) FROM edge;
SELECT min(name), max(name), min(code), max(code) FROM edge;
SELECT min(r4), max(r4), min(r8), max(r8) FROM edge;
SELECT min(r8), max(r8) FROM edge WHERE r8 < 'Infinity';
SELECT max(r4), min(r4) FROM edge WHERE r4 <> 'NaN';
SELECT sum(r8) FROM edge WHERE r8 IN (0.1, 0.5, 1.5, 2.5, -2.5, 1e15);
SELECT sum(r8), avg(r8) FROM edge WHERE r8 = 'Infinity' OR r8 = 1;
SELECT sum(r8), avg(r8) FROM edge WHERE r8 = 'Infinity' OR r8 = '-Infinity';

-- == FILTER

SELECT count(*) FILTER (WHERE flag) FROM mixed;
SELECT count(*) FILTER (WHERE flag), count(*) FILTER (WHERE NOT flag), count(*) FROM mixed;
SELECT sum(price) FILTER (WHERE code = 'A'), sum(price) FROM mixed;
SELECT code, count(*) FILTER (WHERE price > 100), avg(price) FILTER (WHERE price > 100) FROM mixed GROUP BY code ORDER BY code;
SELECT max(day) FILTER (WHERE n > 0), min(name) FILTER (WHERE name LIKE 'b%') FROM mixed;
SELECT sum(n) FILTER (WHERE false), count(n) FILTER (WHERE false), count(*) FILTER (WHERE n IS NULL) FROM mixed;
SELECT sum(n) FILTER (WHERE nullif(ub, 0) > 5), bool_or(flag) FILTER (WHERE n > 0) FROM mixed;

-- == empty results

SELECT count(*), sum(n), avg(n), min(n), max(n) FROM mixed WHERE false;
SELECT sum(r8), avg(r8), min(r8), min(day), max(at), min(name), bool_and(flag) FROM mixed WHERE false;
SELECT sum(price), avg(price), sum(price) + 1, coalesce(sum(price), 0) FROM mixed WHERE n > 1000000;
SELECT count(*), sum(price), max(code) FROM nothing;
SELECT code, count(*) FROM mixed WHERE false GROUP BY code;
SELECT code, count(*) FROM nothing GROUP BY code ORDER BY code;
SELECT DISTINCT code FROM nothing;
SELECT count(*) FROM mixed HAVING count(*) < 0;
SELECT 1 FROM mixed HAVING count(*) > 0;
SELECT 5 AS five, 'x' AS x, count(*) FROM mixed;
SELECT count(*) FROM mixed WHERE NULL;
SELECT count(*) FROM mixed LIMIT 0;
SELECT count(*) FROM mixed OFFSET 1;

-- == NULLs

SELECT sum(CASE WHEN flag THEN n END), count(CASE WHEN flag THEN n END), avg(CASE WHEN flag THEN price END) FROM mixed;
SELECT min(CASE WHEN n > 1000000 THEN n END), max(nullif(code, 'A')), count(nullif(code, 'A')) FROM mixed;
SELECT count(*) FROM mixed WHERE nullif(ub, 0) IS NULL;
SELECT count(*) FROM mixed WHERE nullif(ub, 0) IS NOT NULL AND NOT nullif(ub, 7) IS NULL;
SELECT count(*) FROM mixed WHERE nullif(ub, 0) > 3;
SELECT count(*) FROM mixed WHERE NOT nullif(ub, 0) > 3;
SELECT count(*) FROM mixed WHERE nullif(ub, 0) > 3 OR flag;
SELECT count(*) FROM mixed WHERE NOT (nullif(ub, 0) > 3 AND flag);
SELECT count(*) FROM mixed WHERE (nullif(ub, 0) > 3 AND flag) IS NULL;
SELECT count(*) FROM mixed WHERE (nullif(ub, 0) > 3 OR flag) IS NULL;
SELECT count(*) FROM mixed WHERE (NOT nullif(ub, 0) > 3) IS NULL;
SELECT count(*) FROM mixed WHERE nullif(ub, 0) IN (7, 100, NULL);
SELECT count(*) FROM mixed WHERE nullif(ub, 0) NOT IN (7, 100);
SELECT count(*) FROM mixed WHERE ub NOT IN (7, 100, NULL);
SELECT count(*) FROM mixed WHERE (ub NOT IN (7, NULL)) IS NULL;
SELECT count(*) FROM mixed WHERE nullif(tiny, 3) BETWEEN -2 AND nullif(ub, 255);
SELECT count(*) FROM mixed WHERE tiny NOT BETWEEN -2 AND nullif(ub, 255);
SELECT nullif(code, 'A') AS c, count(*) FROM mixed GROUP BY nullif(code, 'A') ORDER BY c NULLS FIRST;
SELECT nullif(code, 'A') AS c, count(*) FROM mixed GROUP BY 1 ORDER BY 1 DESC NULLS LAST;
SELECT nullif(code, 'A') AS c, count(*) FROM mixed GROUP BY 1 ORDER BY 1 DESC;
SELECT nullif(code, 'A') AS c, count(*) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT CASE WHEN tiny > 5 THEN n % 3 END, count(*), sum(CASE WHEN n > 0 THEN n END) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT coalesce(nullif(ub, 0), -1) AS k, count(*) FROM mixed GROUP BY k ORDER BY k;
SELECT coalesce(nullif(tiny, 1), nullif(small, 2), 9), count(*) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT coalesce(NULL, sum(n) FILTER (WHERE false), 17) FROM mixed;
SELECT nullif(count(*), 0), nullif(sum(n), sum(n)), coalesce(nullif(sum(n), sum(n)), 5) FROM mixed;
SELECT sum(n) + NULL, NULL, count(*) > NULL FROM mixed;
SELECT count(NULL), sum(NULL::integer), max(NULL::text) FROM mixed;
SELECT bool_and(nullif(ub, 0) > 3), bool_or(nullif(ub, 0) > 300), bool_or(nullif(flag, true)) FROM mixed;
SELECT count(*) FROM mixed WHERE flag IS TRUE;
SELECT count(*) FROM mixed WHERE (nullif(ub, 0) > 3) IS NOT TRUE;
SELECT count(*) FROM mixed WHERE (nullif(ub, 0) > 3) IS UNKNOWN OR (nullif(ub, 0) > 100) IS NOT FALSE;
--@ refused
SELECT count(*) FROM mixed WHERE nullif(ub, 0) IS DISTINCT FROM nullif(ub, 7);

-- == comparisons, IN, BETWEEN

SELECT count(*) FROM mixed WHERE n = 0 OR n <> 0;
SELECT count(*) FROM mixed WHERE n != 0 AND NOT n < 5 AND n >= -3 AND n <= 50000;
SELECT count(*) FROM mixed WHERE tiny IN (1, 2, 3) AND code IN ('A', 'N');
SELECT count(*) FROM mixed WHERE tiny NOT IN (1, 2, 3) AND n NOT BETWEEN -1000 AND 1000;
SELECT count(*) FROM mixed WHERE n BETWEEN -5000 AND 5000 AND r8 BETWEEN -1.5 AND 20;
SELECT count(*) FROM mixed WHERE n BETWEEN 5000 AND -5000;
SELECT count(*) FROM mixed WHERE price BETWEEN 10 AND 99.995;
SELECT count(*) FROM mixed WHERE price IN (0, 1.5, 12345.67) OR rate IN (0.5, 0);
SELECT count(*) FROM mixed WHERE flag = true;
SELECT count(*) FROM mixed WHERE flag <> (n > 0) AND flag >= false;
SELECT count(*) FROM mixed WHERE n > un AND big > ubig;
SELECT count(*) FROM mixed WHERE tiny > r8 OR price > r8;
SELECT count(*) FROM mixed WHERE price = whole OR rate < price;
SELECT count(*) FROM mixed WHERE big > 2147483648 AND big < 9223372036854775807;
SELECT count(*) FROM mixed WHERE big < 99999999999999999999999;
SELECT count(*) FROM mixed WHERE tiny < 3000000000 AND tiny > -2147483648 AND tiny <= 127;
SELECT count(*) FROM mixed WHERE tiny > 2.5 AND n < 1e4 AND n > -.5e3;
SELECT count(*) FROM mixed WHERE price > 1e1 AND price > 10.000000000000000000000001;
SELECT count(*) FROM edge WHERE big = 9223372036854775807 OR big = -9223372036854775808;
SELECT count(*) FROM edge WHERE ubig = 9223372036854775807 AND un <= 4294967295;
SELECT count(*) FROM edge WHERE whole = 999999999999999999 OR whole <= -999999999999999999.5;
--@ refused
SELECT count(*) FROM edge WHERE price > rate AND micro < price;
SELECT count(*) FROM edge WHERE big > 9223372036854775806.5;
SELECT count(*) FROM edge WHERE big > 9.2e18::double precision;
SELECT count(*) FROM edge WHERE big = r8 OR n > r4;

-- == text

SELECT count(*) FROM mixed WHERE name = 'anvil';
SELECT count(*) FROM mixed WHERE name > 'anvil' AND name <= 'bolt';
SELECT count(*) FROM mixed WHERE name = '' OR name <> 'x';
SELECT count(*) FROM mixed WHERE name = '  padded  ';
SELECT count(*) FROM mixed WHERE name = 'tail';
SELECT count(*) FROM mixed WHERE name = 'a text that is longer than any';
SELECT count(*) FROM mixed WHERE name < 'a text that is longer than any';
SELECT count(*) FROM mixed WHERE name < code OR "order" = name;
SELECT count(*) FROM mixed WHERE name BETWEEN 'b' AND 'c' AND code BETWEEN 'A' AND 'B';
SELECT count(*) FROM mixed WHERE name = 'it''s' OR name = E'line\nend' OR name = 'a "quote"';
SELECT count(*) FROM mixed WHERE name > 'käse' OR name = 'éé';
SELECT name, count(*) FROM mixed GROUP BY name ORDER BY name;
SELECT name, count(*) FROM edge GROUP BY name ORDER BY name DESC;
SELECT code, name, count(*) FROM edge GROUP BY name, code ORDER BY 1, 2;
SELECT count(*) FROM mixed WHERE name LIKE 'an%';
SELECT count(*) FROM mixed WHERE name LIKE '%il';
SELECT count(*) FROM mixed WHERE name LIKE '%ol%';
SELECT count(*) FROM mixed WHERE name LIKE 'bolt_10';
SELECT count(*) FROM mixed WHERE name LIKE 'bolt\_10';
SELECT count(*) FROM mixed WHERE name LIKE '%10\%';
SELECT count(*) FROM mixed WHERE name LIKE 'a\\b';
SELECT count(*) FROM mixed WHERE name LIKE '';
SELECT count(*) FROM mixed WHERE name LIKE '%';
SELECT count(*) FROM mixed WHERE name LIKE '_';
SELECT count(*) FROM mixed WHERE name LIKE '__';
SELECT count(*) FROM mixed WHERE name LIKE 'k_se';
SELECT count(*) FROM mixed WHERE name LIKE '_%_%e%' OR name LIKE 'z%b';
SELECT count(*) FROM mixed WHERE name LIKE '%%a%%l%' AND name NOT LIKE '%s';
SELECT count(*) FROM mixed WHERE name NOT LIKE '%e%' AND NOT name LIKE 'x';
--@ refused
SELECT count(*) FROM mixed WHERE nullif(name, '') NOT LIKE 'a%';
SELECT count(*) FROM edge WHERE name LIKE '日_%' OR name LIKE '____';
SELECT min(name), max(nullif(name, 'éé')), count(*) FROM mixed WHERE name LIKE '%b%';
--@ refused
SELECT count(*) FROM mixed WHERE name LIKE 'bolt#_10' ESCAPE '#';
--@ refused
SELECT count(*) FROM mixed WHERE name ILIKE 'AN%';
--@ refused
SELECT 'x' || 'y' FROM mixed HAVING count(*) > 0;
--@ error
SELECT count(*) FROM mixed WHERE name LIKE 'an\';

-- texts of every width: bytes behind the NUL are no part of them

SELECT t1, count(*) FROM texts GROUP BY t1 ORDER BY t1;
SELECT t2, count(*) FROM texts GROUP BY t2 ORDER BY t2;
SELECT t3, count(*) FROM texts GROUP BY t3 ORDER BY t3;
SELECT t4, count(*) FROM texts GROUP BY t4 ORDER BY t4;
SELECT t5, count(*) FROM texts GROUP BY t5 ORDER BY t5;
SELECT t6, count(*) FROM texts GROUP BY t6 ORDER BY t6;
SELECT t7, count(*) FROM texts GROUP BY t7 ORDER BY t7;
SELECT t8, count(*) FROM texts GROUP BY t8 ORDER BY t8;
SELECT t9, count(*) FROM texts GROUP BY t9 ORDER BY t9;
SELECT t11, count(*) FROM texts GROUP BY t11 ORDER BY t11;
SELECT t13, count(*) FROM texts GROUP BY t13 ORDER BY t13;
SELECT t15, count(*) FROM texts GROUP BY t15 ORDER BY t15;
SELECT t16, count(*) FROM texts GROUP BY t16 ORDER BY t16;
SELECT t17, count(*) FROM texts GROUP BY t17 ORDER BY t17;
SELECT t24, count(*) FROM texts GROUP BY t24 ORDER BY t24;
SELECT t33, count(*) FROM texts GROUP BY t33 ORDER BY t33;
SELECT min(t1), max(t1), max(nullif(t1, 'abc')), count(*) FILTER (WHERE t1 = 'ab'), count(*) FILTER (WHERE t1 > 'ab'), count(*) FILTER (WHERE t1 <= 'abcdefgh'), count(*) FILTER (WHERE t1 = ''), count(*) FILTER (WHERE t1 LIKE 'ab%'), count(*) FILTER (WHERE t1 LIKE '%z'), count(*) FILTER (WHERE t1 LIKE '%bc%'), count(*) FILTER (WHERE t1 LIKE '_b_'), count(*) FILTER (WHERE t1 LIKE 'ab'), count(*) FILTER (WHERE t1 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t2), max(t2), max(nullif(t2, 'abc')), count(*) FILTER (WHERE t2 = 'ab'), count(*) FILTER (WHERE t2 > 'ab'), count(*) FILTER (WHERE t2 <= 'abcdefgh'), count(*) FILTER (WHERE t2 = ''), count(*) FILTER (WHERE t2 LIKE 'ab%'), count(*) FILTER (WHERE t2 LIKE '%z'), count(*) FILTER (WHERE t2 LIKE '%bc%'), count(*) FILTER (WHERE t2 LIKE '_b_'), count(*) FILTER (WHERE t2 LIKE 'ab'), count(*) FILTER (WHERE t2 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t3), max(t3), max(nullif(t3, 'abc')), count(*) FILTER (WHERE t3 = 'ab'), count(*) FILTER (WHERE t3 > 'ab'), count(*) FILTER (WHERE t3 <= 'abcdefgh'), count(*) FILTER (WHERE t3 = ''), count(*) FILTER (WHERE t3 LIKE 'ab%'), count(*) FILTER (WHERE t3 LIKE '%z'), count(*) FILTER (WHERE t3 LIKE '%bc%'), count(*) FILTER (WHERE t3 LIKE '_b_'), count(*) FILTER (WHERE t3 LIKE 'ab'), count(*) FILTER (WHERE t3 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t4), max(t4), max(nullif(t4, 'abc')), count(*) FILTER (WHERE t4 = 'ab'), count(*) FILTER (WHERE t4 > 'ab'), count(*) FILTER (WHERE t4 <= 'abcdefgh'), count(*) FILTER (WHERE t4 = ''), count(*) FILTER (WHERE t4 LIKE 'ab%'), count(*) FILTER (WHERE t4 LIKE '%z'), count(*) FILTER (WHERE t4 LIKE '%bc%'), count(*) FILTER (WHERE t4 LIKE '_b_'), count(*) FILTER (WHERE t4 LIKE 'ab'), count(*) FILTER (WHERE t4 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t5), max(t5), max(nullif(t5, 'abc')), count(*) FILTER (WHERE t5 = 'ab'), count(*) FILTER (WHERE t5 > 'ab'), count(*) FILTER (WHERE t5 <= 'abcdefgh'), count(*) FILTER (WHERE t5 = ''), count(*) FILTER (WHERE t5 LIKE 'ab%'), count(*) FILTER (WHERE t5 LIKE '%z'), count(*) FILTER (WHERE t5 LIKE '%bc%'), count(*) FILTER (WHERE t5 LIKE '_b_'), count(*) FILTER (WHERE t5 LIKE 'ab'), count(*) FILTER (WHERE t5 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t6), max(t6), max(nullif(t6, 'abc')), count(*) FILTER (WHERE t6 = 'ab'), count(*) FILTER (WHERE t6 > 'ab'), count(*) FILTER (WHERE t6 <= 'abcdefgh'), count(*) FILTER (WHERE t6 = ''), count(*) FILTER (WHERE t6 LIKE 'ab%'), count(*) FILTER (WHERE t6 LIKE '%z'), count(*) FILTER (WHERE t6 LIKE '%bc%'), count(*) FILTER (WHERE t6 LIKE '_b_'), count(*) FILTER (WHERE t6 LIKE 'ab'), count(*) FILTER (WHERE t6 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t7), max(t7), max(nullif(t7, 'abc')), count(*) FILTER (WHERE t7 = 'ab'), count(*) FILTER (WHERE t7 > 'ab'), count(*) FILTER (WHERE t7 <= 'abcdefgh'), count(*) FILTER (WHERE t7 = ''), count(*) FILTER (WHERE t7 LIKE 'ab%'), count(*) FILTER (WHERE t7 LIKE '%z'), count(*) FILTER (WHERE t7 LIKE '%bc%'), count(*) FILTER (WHERE t7 LIKE '_b_'), count(*) FILTER (WHERE t7 LIKE 'ab'), count(*) FILTER (WHERE t7 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t8), max(t8), max(nullif(t8, 'abc')), count(*) FILTER (WHERE t8 = 'ab'), count(*) FILTER (WHERE t8 > 'ab'), count(*) FILTER (WHERE t8 <= 'abcdefgh'), count(*) FILTER (WHERE t8 = ''), count(*) FILTER (WHERE t8 LIKE 'ab%'), count(*) FILTER (WHERE t8 LIKE '%z'), count(*) FILTER (WHERE t8 LIKE '%bc%'), count(*) FILTER (WHERE t8 LIKE '_b_'), count(*) FILTER (WHERE t8 LIKE 'ab'), count(*) FILTER (WHERE t8 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t9), max(t9), max(nullif(t9, 'abc')), count(*) FILTER (WHERE t9 = 'ab'), count(*) FILTER (WHERE t9 > 'ab'), count(*) FILTER (WHERE t9 <= 'abcdefgh'), count(*) FILTER (WHERE t9 = ''), count(*) FILTER (WHERE t9 LIKE 'ab%'), count(*) FILTER (WHERE t9 LIKE '%z'), count(*) FILTER (WHERE t9 LIKE '%bc%'), count(*) FILTER (WHERE t9 LIKE '_b_'), count(*) FILTER (WHERE t9 LIKE 'ab'), count(*) FILTER (WHERE t9 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t11), max(t11), max(nullif(t11, 'abc')), count(*) FILTER (WHERE t11 = 'ab'), count(*) FILTER (WHERE t11 > 'ab'), count(*) FILTER (WHERE t11 <= 'abcdefgh'), count(*) FILTER (WHERE t11 = ''), count(*) FILTER (WHERE t11 LIKE 'ab%'), count(*) FILTER (WHERE t11 LIKE '%z'), count(*) FILTER (WHERE t11 LIKE '%bc%'), count(*) FILTER (WHERE t11 LIKE '_b_'), count(*) FILTER (WHERE t11 LIKE 'ab'), count(*) FILTER (WHERE t11 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t13), max(t13), max(nullif(t13, 'abc')), count(*) FILTER (WHERE t13 = 'ab'), count(*) FILTER (WHERE t13 > 'ab'), count(*) FILTER (WHERE t13 <= 'abcdefgh'), count(*) FILTER (WHERE t13 = ''), count(*) FILTER (WHERE t13 LIKE 'ab%'), count(*) FILTER (WHERE t13 LIKE '%z'), count(*) FILTER (WHERE t13 LIKE '%bc%'), count(*) FILTER (WHERE t13 LIKE '_b_'), count(*) FILTER (WHERE t13 LIKE 'ab'), count(*) FILTER (WHERE t13 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t15), max(t15), max(nullif(t15, 'abc')), count(*) FILTER (WHERE t15 = 'ab'), count(*) FILTER (WHERE t15 > 'ab'), count(*) FILTER (WHERE t15 <= 'abcdefgh'), count(*) FILTER (WHERE t15 = ''), count(*) FILTER (WHERE t15 LIKE 'ab%'), count(*) FILTER (WHERE t15 LIKE '%z'), count(*) FILTER (WHERE t15 LIKE '%bc%'), count(*) FILTER (WHERE t15 LIKE '_b_'), count(*) FILTER (WHERE t15 LIKE 'ab'), count(*) FILTER (WHERE t15 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t16), max(t16), max(nullif(t16, 'abc')), count(*) FILTER (WHERE t16 = 'ab'), count(*) FILTER (WHERE t16 > 'ab'), count(*) FILTER (WHERE t16 <= 'abcdefgh'), count(*) FILTER (WHERE t16 = ''), count(*) FILTER (WHERE t16 LIKE 'ab%'), count(*) FILTER (WHERE t16 LIKE '%z'), count(*) FILTER (WHERE t16 LIKE '%bc%'), count(*) FILTER (WHERE t16 LIKE '_b_'), count(*) FILTER (WHERE t16 LIKE 'ab'), count(*) FILTER (WHERE t16 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t17), max(t17), max(nullif(t17, 'abc')), count(*) FILTER (WHERE t17 = 'ab'), count(*) FILTER (WHERE t17 > 'ab'), count(*) FILTER (WHERE t17 <= 'abcdefgh'), count(*) FILTER (WHERE t17 = ''), count(*) FILTER (WHERE t17 LIKE 'ab%'), count(*) FILTER (WHERE t17 LIKE '%z'), count(*) FILTER (WHERE t17 LIKE '%bc%'), count(*) FILTER (WHERE t17 LIKE '_b_'), count(*) FILTER (WHERE t17 LIKE 'ab'), count(*) FILTER (WHERE t17 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t24), max(t24), max(nullif(t24, 'abc')), count(*) FILTER (WHERE t24 = 'ab'), count(*) FILTER (WHERE t24 > 'ab'), count(*) FILTER (WHERE t24 <= 'abcdefgh'), count(*) FILTER (WHERE t24 = ''), count(*) FILTER (WHERE t24 LIKE 'ab%'), count(*) FILTER (WHERE t24 LIKE '%z'), count(*) FILTER (WHERE t24 LIKE '%bc%'), count(*) FILTER (WHERE t24 LIKE '_b_'), count(*) FILTER (WHERE t24 LIKE 'ab'), count(*) FILTER (WHERE t24 IN ('a', 'abc', 'ä')) FROM texts;
SELECT min(t33), max(t33), max(nullif(t33, 'abc')), count(*) FILTER (WHERE t33 = 'ab'), count(*) FILTER (WHERE t33 > 'ab'), count(*) FILTER (WHERE t33 <= 'abcdefgh'), count(*) FILTER (WHERE t33 = ''), count(*) FILTER (WHERE t33 LIKE 'ab%'), count(*) FILTER (WHERE t33 LIKE '%z'), count(*) FILTER (WHERE t33 LIKE '%bc%'), count(*) FILTER (WHERE t33 LIKE '_b_'), count(*) FILTER (WHERE t33 LIKE 'ab'), count(*) FILTER (WHERE t33 IN ('a', 'abc', 'ä')) FROM texts;
SELECT nullif(t5, 'a'), CASE WHEN v > 0 THEN t3 ELSE t7 END, count(*) FROM texts GROUP BY 1, 2 ORDER BY 1, 2;
SELECT t1, t2, t3, t4, t5, count(*) FROM texts GROUP BY t1, t2, t3, t4, t5 ORDER BY 1, 2, 3, 4, 5;
SELECT coalesce(nullif(t9, ''), t6) AS t, count(*) FROM texts GROUP BY t HAVING coalesce(nullif(t9, ''), t6) > 'a' ORDER BY t;
SELECT count(*) FROM texts WHERE t3 = t5 OR t7 < t6 OR t17 > t16 OR t8 = t33;
SELECT DISTINCT t6 FROM texts;
SELECT min(t3), max(t5) FROM texts WHERE false;
SELECT t3, min(t7), max(t6), min(t16), max(t33) FROM texts GROUP BY t3 ORDER BY t3;

-- == CASE

SELECT CASE WHEN n < 0 THEN 'negative' WHEN n > 0 THEN 'positive' ELSE 'zero' END AS sign, count(*) FROM mixed GROUP BY sign ORDER BY sign;
SELECT CASE code WHEN 'A' THEN 1 WHEN 'B' THEN 2 ELSE 0 END AS c, count(*) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT CASE tiny WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, sum(n) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT sum(CASE code WHEN 'A' THEN price ELSE 0 END), sum(CASE WHEN flag THEN 1 ELSE 0 END) FROM mixed;
SELECT sum(CASE WHEN flag THEN price WHEN n > 0 THEN price * 2 ELSE 0.00 END) FROM mixed;
--@ number
SELECT sum(CASE WHEN flag THEN price ELSE rate END), max(CASE WHEN flag THEN price ELSE n END) FROM mixed;
SELECT sum(CASE WHEN flag THEN r8 ELSE n END), sum(CASE WHEN flag THEN tiny ELSE big END) FROM mixed;
SELECT sum(CASE WHEN tiny <> 0 THEN n / tiny ELSE 0 END) FROM mixed;
SELECT count(*) FROM mixed WHERE tiny <> 0 AND 100 / tiny > 10;
SELECT count(*) FROM mixed WHERE tiny = 0 OR 100 / tiny > 10;
SELECT count(*) FROM mixed WHERE CASE WHEN tiny = 0 THEN false ELSE 100 % tiny = 1 END;
SELECT sum(coalesce(nullif(n, n), 1 / nullif(tiny, 0), 7)) FROM mixed;
SELECT sum(CASE WHEN n > 0 THEN CASE WHEN flag THEN 1 ELSE 2 END ELSE CASE WHEN flag THEN 3 END END) FROM mixed;
SELECT CASE WHEN count(*) > 10 THEN 'many' ELSE 'few' END, CASE WHEN sum(n) > 0 THEN avg(n) END FROM mixed;
SELECT CASE WHEN min(day) < date '1990-01-01' THEN min(day) ELSE max(day) END FROM mixed;
SELECT CASE WHEN NULL THEN 1 ELSE 2 END, count(*) FROM mixed;

-- == casts

SELECT sum(n::bigint), sum(tiny::integer), sum(CAST(small AS bigint)) FROM mixed;
SELECT sum(n::numeric), avg(tiny::numeric), sum(n::double precision), avg(n::float8) FROM mixed;
SELECT sum(price::double precision), sum(price::integer), sum(price::bigint) FROM mixed;
--@ refused
SELECT sum(r8::integer), sum(r8::bigint), sum((r8 / 100)::smallint) FROM mixed;
SELECT sum(price::numeric(15,1)), sum(price::numeric(15,0)), sum(price::decimal(12,4)) FROM mixed;
SELECT sum(rate::numeric(9,2)), sum(micro::numeric(10,3)), sum(micro::numeric(10)) FROM mixed;
SELECT sum(rate::integer), sum(micro::integer), min(micro::integer), max(rate::smallint) FROM mixed;
SELECT sum(flag::integer), count(*) FROM mixed;
--@ error
SELECT count(*) FROM mixed WHERE tiny::boolean;
--@ error
SELECT count(*) FROM mixed WHERE small::boolean;
SELECT count(*) FROM mixed WHERE n::boolean;
SELECT sum(r8)::integer, sum(n)::numeric(20,3), avg(price)::integer, count(*)::double precision FROM mixed;
SELECT avg(n)::numeric(12,2), avg(n)::double precision, sum(price)::numeric(20,1) FROM mixed;
SELECT count(*)::text, sum(price)::text, max(day)::text, bool_or(flag)::text, max(r8)::text FROM mixed;
SELECT max(at)::date, max(day)::timestamp, min(day)::timestamp FROM mixed;
SELECT count(*) FROM mixed WHERE at::date = day OR at < day::timestamp;
SELECT count(*) FROM mixed WHERE at::date > date '1995-06-17' AND day < at;
SELECT '12'::integer + count(*), '1.50'::numeric(10,2), '1e3'::double precision, 't'::boolean, 'off'::bool FROM mixed;
SELECT 1.5::integer, 2.5::integer, -1.5::integer, -2.5::integer, (-2.5)::integer, 2.5::float8::integer, 3.5::float8::integer FROM mixed HAVING true;
SELECT 123456789.123456789::numeric(12,3), 0.1::float8, 1e20::float8, 1e-7::float8, 100000::float8, 1e15::float8, 1e16::float8 FROM mixed HAVING count(*) > 0;
--@ refused
SELECT sum(r8::numeric) FROM mixed;
--@ refused
SELECT 0.1::real::float8, 16777217::real::integer, sum(0.1::real) FROM mixed;
SELECT max(r8)::numeric, max(r4)::numeric, (sum(n) / 7.0)::float8, (sum(n) / 7.0)::float8::numeric FROM mixed;
SELECT date '1995-01-31'::timestamp, '1995-01-31'::date, timestamp '1995-01-31 10:00'::date FROM mixed HAVING true;
--@ error
SELECT sum(n::smallint) FROM mixed;
--@ error
SELECT sum(big::integer) FROM mixed;
--@ error refused
SELECT sum(r8::smallint) FROM edge;
--@ error refused
SELECT sum(r8::bigint) FROM edge WHERE r8 > 1;
--@ error
SELECT sum(price::numeric(4,2)) FROM mixed;
--@ error
SELECT sum(whole::bigint::integer) FROM edge;
--@ error
SELECT count(*) FROM mixed WHERE n = 'twelve';
--@ error
SELECT count(*) FROM mixed WHERE day > 'soon';
--@ error
SELECT '12x'::integer FROM mixed;
--@ error
SELECT sum(day::integer) FROM mixed;

-- == integer arithmetic

SELECT sum(n + tiny), sum(n - small), sum(tiny * small), sum(-n), sum(+n), sum(n * 2) FROM mixed;
SELECT sum(n / 7), sum(n % 7), sum(n / -7), sum(n % -7), sum(-n / 7), sum(-n % 7) FROM mixed;
SELECT sum(tiny / 3), sum(tiny % 3), sum(big / 1000), sum(big % 1000), sum(ub / 2), sum(us % 10) FROM mixed;
SELECT n % 5 AS r, count(*), min(n / 5), max(n / 5) FROM mixed GROUP BY r ORDER BY r;
SELECT sum(abs(n)), sum(abs(tiny)), max(abs(big)), min(abs(small)) FROM mixed;
SELECT sum(n * 10 + 3 - tiny * (small - 2)), sum(1 + 2 * 3), sum(2 - 3 - 4), sum(100 / 10 / 2) FROM mixed;
SELECT sum(big * 3), sum(ubig + big), sum(un * 2 + tiny), sum(big - ubig), sum(us * us::bigint) FROM mixed;
SELECT 7 / 2, -7 / 2, 7 % -2, -7 % 2, 7.0 / 2, -7 / 2.0, 7 % 2.5, -7.5 % 2 FROM mixed HAVING count(*) > 0;
SELECT 2147483647 + 1::bigint, 3000000000 / 2, 9223372036854775807 - 1, -2147483648, 9223372036854775808 FROM mixed HAVING true;
SELECT max(tiny + 100::smallint), max(small + 1), max(n + 1::bigint), max(-tiny) FROM mixed;
SELECT max(un), max(un + 1), max(us + us), max(ub + ub) FROM edge;
SELECT sum(n::bigint * n), sum(n * 2::bigint), sum(-(n::bigint)), sum(big % 10), sum(big / 2) FROM edge;
SELECT sum(big % -1), sum(n % -1) FROM edge;
--@ refused
SELECT sum(big::numeric * 2), sum(big + 0.5), sum(ubig * 1.0) FROM edge;
--@ error
SELECT count(*) FROM mixed WHERE n / tiny > 0;
--@ error
SELECT sum(n % tiny) FROM mixed;
--@ error refused
SELECT sum(price / tiny) FROM mixed;
--@ error
SELECT sum(r8 / tiny) FROM mixed;
--@ error
SELECT 1 / 0 FROM mixed;
--@ error
SELECT count(*) / 0 FROM mixed;
--@ error
SELECT count(*) / count(*) FILTER (WHERE false) FROM mixed;
--@ error
SELECT sum(price) / sum(0) FROM mixed;
--@ error
SELECT sum(n * n) FROM mixed;
--@ error
SELECT sum(n + 1) FROM edge;
--@ error
SELECT sum(-n) FROM edge;
--@ error
SELECT sum(abs(n)) FROM edge;
--@ error
SELECT sum(n - 1) FROM edge;
--@ error
SELECT sum(small + small) FROM edge;
--@ error
SELECT sum(small * small) FROM mixed;
--@ error
SELECT sum(-small) FROM edge;
--@ error
SELECT sum(big + 1) FROM edge;
--@ error
SELECT sum(big * big) FROM mixed;
--@ error
SELECT sum(-big) FROM edge;
--@ error
SELECT sum(big / -1) FROM edge;
--@ error
SELECT sum(n / -1) FROM edge;
--@ error
SELECT sum(ubig + 1) FROM edge;
--@ error
SELECT count(*) FROM edge WHERE big - 1 < 0;
--@ error
SELECT count(*) + 9223372036854775807 FROM mixed;
--@ error
SELECT sum(n) * 9223372036854775807 FROM mixed;
--@ error
SELECT 2147483647 + 1 FROM mixed;
--@ error
SELECT max(n) + 2147483647 FROM mixed;

-- == decimals

SELECT sum(price + rate), sum(price - micro), sum(price * rate), sum(rate * rate) FROM mixed;
SELECT sum(price + 1), sum(price * 2), sum(1 - rate), sum(price - n), sum(n * rate) FROM mixed;
SELECT sum(price * (1 - rate)), sum(price * (1 - rate) * (1 + rate)) FROM mixed;
SELECT sum(-price), sum(abs(price)), sum(price * -1.5), sum(price + 0.001), sum(price * 1.10) FROM mixed;
SELECT sum(whole * 2), sum(whole + price), sum(whole * 0.5), avg(whole - 1) FROM mixed;
SELECT min(price * rate), max(price * rate), avg(price * rate), min(price + rate), max(-price) FROM mixed;
SELECT count(*) FROM mixed WHERE price * rate > 1000 AND price + rate > 10.5 AND price - 1 <> rate;
SELECT price % 7 AS r, count(*) FROM mixed WHERE price BETWEEN -20 AND 20 GROUP BY r ORDER BY r;
SELECT sum(price % 3), sum(rate % 0.5), sum(price % rate) FROM mixed WHERE rate <> 0;
SELECT round(price, 1) AS r, count(*) FROM mixed WHERE price BETWEEN -10 AND 10 GROUP BY r ORDER BY r;
SELECT sum(round(price)), sum(round(price, 1)), sum(trunc(price)), sum(trunc(rate, 2)), sum(round(rate, 3)) FROM mixed;
SELECT sum(floor(price)), sum(ceil(price)), sum(ceiling(rate)), sum(floor(micro)) FROM mixed;
--@ refused
SELECT sum(round(price, -2)), sum(trunc(price, -1)), sum(round(price, 5)) FROM mixed;
--@ refused
SELECT sum(price / 4), sum(price / 8.0), avg(price / 3) FROM mixed;
--@ refused
SELECT sum(price / rate) FROM mixed WHERE rate > 1;
--@ refused
SELECT count(*) FROM mixed WHERE price / 7 > 100;
SELECT sum(price) / 3, sum(price) / 7.00, avg(price) / 2, sum(rate) / sum(price), sum(n) / 7.0 FROM mixed;
SELECT 1 / 3.0, 2.0 / 3, 1000000 / 3.0, 0.001 / 3, 10.00 / 4, 1.0 / 1000000007, 123456789012345678 / 7.0 FROM mixed HAVING count(*) > 0;
SELECT 1.10 + 2.205, 1.10 * 2.205, 1.10 - 1.1, 5.5 % 2, -5.5 % 2, 0.1 + 0.2, 1e3 + 1, 1.5e-3 * 2 FROM mixed HAVING count(*) > 0;
SELECT round(2.5), round(-2.5), round(3.5), round(2.345, 2), round(-2.345, 2), trunc(-2.7), floor(-2.5), ceil(-2.5), abs(-1.50) FROM mixed HAVING count(*) > 0;
SELECT round(avg(price), 2), round(avg(price)), trunc(avg(price), 3), floor(avg(price)), ceil(avg(rate)) FROM mixed;
SELECT sum(price) * sum(price), sum(price) * sum(rate) * sum(micro), sum(big) * sum(big) * sum(big) FROM mixed;
SELECT sum(whole * whole) FROM mixed;
SELECT count(*) FROM mixed WHERE price = 0.00 OR price = 0 OR rate = 0.5000000;
SELECT trunc(price, 4), round(price, 3), round(tiny::numeric, 1), count(*) FROM mixed WHERE price < 1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT sum(trunc(price, 4)), avg(round(price, 3)), max(trunc(tiny::numeric, 2)), round(max(price), 5), trunc(count(*), 2) FROM mixed;
SELECT price, count(*) FROM mixed WHERE price < 5 AND price > -5 GROUP BY price ORDER BY price;
SELECT price, count(*) FROM edge GROUP BY price ORDER BY price;
SELECT whole, micro, count(*) FROM edge GROUP BY 1, 2 ORDER BY 1, 2;
SELECT avg(n), avg(n) * 3, avg(n) / 3, -avg(n), avg(n) + avg(price), avg(n) - 1 FROM mixed;
SELECT code, avg(price), avg(n), avg(tiny), avg(rate) FROM mixed GROUP BY code ORDER BY code;
SELECT tiny, avg(micro), avg(big), avg(un) FROM mixed GROUP BY tiny ORDER BY tiny;
SELECT avg(n), avg(big), avg(price) FROM edge WHERE small > 0;
--@ refused
SELECT sum(price + whole), sum(price * 10), sum(rate * rate) FROM edge;
--@ refused
SELECT sum(whole * rate), sum(price * price), sum(whole + micro) FROM edge;

-- == doubles

SELECT sum(r8 + 1), sum(r8 * 0.5), sum(r8 - r4), sum(r8 * r4), sum(r8 / 4), sum(-r8) FROM mixed;
SELECT sum(r8 * price), sum(r8 + n), sum(r8 * 0.1), avg(r8 * 0.1), sum(r8 / 3) FROM mixed;
--@ refused
SELECT sum(abs(r8)), sum(floor(r8)), sum(ceil(r8)), sum(round(r8)), sum(trunc(r8)) FROM mixed;
SELECT count(*) FROM mixed WHERE r8 > 0.1 AND r4 < 50.25 AND r8 <> r4;
SELECT count(*) FROM mixed WHERE r8 * 3 > r4 + 1 OR -r8 > 900;
--@ refused
SELECT round(r8) AS r, count(*) FROM mixed WHERE r8 BETWEEN -5 AND 5 GROUP BY r ORDER BY r;
SELECT max(r8) * 2, max(r8) / 3, sum(r8) + sum(price), max(r8) - max(n), sum(r8) / count(*) FROM mixed;
SELECT 0.1::float8 + 0.2::float8, 1::float8 / 3, 1e300::float8 * 1e-300::float8, 2::float8 / 3 * 3 FROM mixed HAVING count(*) > 0;
SELECT r8, count(*) FROM edge GROUP BY r8 ORDER BY r8;
SELECT r8, count(*) FROM edge GROUP BY r8 ORDER BY r8 DESC NULLS LAST;
SELECT r4, count(*) FROM edge GROUP BY r4 ORDER BY 1;
SELECT DISTINCT r4 FROM edge ORDER BY r4;
SELECT count(*) FROM edge WHERE r8 = 'NaN';
SELECT count(*) FROM edge WHERE r8 = 0;
SELECT count(*) FROM edge WHERE r8 > 'Infinity';
SELECT count(*) FROM edge WHERE r8 >= '-infinity' AND r8 <= 'Infinity'::float8;
SELECT count(*) FROM edge WHERE r8 <> r8 OR r4 = r4;
SELECT count(*) FROM edge WHERE NOT r8 < 1;
SELECT count(*) FROM edge WHERE r8 < r4 OR r8 IN ('NaN', '-Infinity');
SELECT count(*) FROM edge WHERE r8 BETWEEN 0 AND 1;
SELECT code, min(r8), max(r8), min(r4), max(r4) FROM edge GROUP BY code ORDER BY code;
SELECT min(r8 + 1), max(-r4), min(abs(r8)) FROM edge;
--@ refused
SELECT min(floor(r4)), max(ceil(r4)), max(round(r4)) FROM edge WHERE r4 <> 'NaN';
--@ refused
SELECT round(r8) AS r, count(*) FROM edge WHERE abs(r8) < 10 GROUP BY 1 ORDER BY 1;
SELECT min(n) * 0.1::float8, max(r8) + 'NaN'::float8 FROM mixed;
--@ error
SELECT sum(r8 * 10) FROM edge WHERE r8 > 1e300 AND r8 < 'Infinity';
--@ error
SELECT sum(r8 * 1e-300::float8) FROM edge WHERE r8 = 5e-324;
--@ error
SELECT sum(1 / r8) FROM edge WHERE r8 = 0;
--@ error
SELECT sum(r8 / 0) FROM edge WHERE r8 = 1;
SELECT max(r8 / 0::float8) FROM edge WHERE r8 = 'NaN';
SELECT max(r8 * 10), min(r8 - 'Infinity'::float8) FROM edge WHERE r8 = 'Infinity';

-- == dates, timestamps, intervals

SELECT count(*) FROM mixed WHERE day = date '1996-02-29' OR day < '1995-06-17';
SELECT count(*) FROM mixed WHERE day >= date '1994-01-01' AND day < date '1994-01-01' + interval '1 year';
SELECT count(*) FROM mixed WHERE day <= date '1998-12-01' - interval '90' day;
SELECT count(*) FROM mixed WHERE day BETWEEN date '1995-01-01' AND date '1996-12-31';
SELECT count(*) FROM mixed WHERE day < date '1996-03-31' - interval '1 month';
--@ refused
SELECT count(*) FROM mixed WHERE day + interval '1 month' > date '1996-03-29';
SELECT count(*) FROM mixed WHERE day + 30 > date '1998-12-31' OR day - 1 = date '1996-02-28';
SELECT count(*) FROM mixed WHERE at > timestamp '1995-06-17 12:30:00' AND at < '1996-01-01 00:00:00.5';
--@ refused
SELECT count(*) FROM mixed WHERE at + interval '2 hours 30 minutes' > timestamp '1998-12-31 00:00:00';
--@ refused
SELECT count(*) FROM mixed WHERE at - interval '1 year 2 months 3 days' < timestamp '1992-01-01';
SELECT count(*) FROM mixed WHERE at = date '1995-01-01' OR at > date '1995-01-01';
SELECT sum(day - date '1992-01-01'), min(day - date '1992-01-01'), max(date '2000-01-01' - day) FROM mixed;
SELECT max(day) - min(day), max(day) + 1, min(day) - 1, max(day) + interval '1 month' FROM mixed;
SELECT max(at) + interval '1 day', min(at) - interval '1 month', max(at) + interval '1.5 seconds' FROM mixed;
--@ refused
SELECT min(day + 7), max(day - 7), min(day + interval '1 month'), max(at + interval '1 week') FROM mixed;
SELECT extract(year FROM day) AS y, count(*) FROM mixed GROUP BY y ORDER BY y;
SELECT extract(year FROM day) AS y, extract(month FROM day) AS m, count(*), sum(price) FROM mixed GROUP BY 1, 2 ORDER BY 1, 2;
SELECT extract(day FROM day) AS d, count(*) FROM mixed GROUP BY d HAVING count(*) > 5 ORDER BY d;
SELECT extract(hour FROM at), count(*) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT extract(minute FROM at), extract(year FROM at), count(*) FROM mixed GROUP BY 1, 2 ORDER BY 1, 2;
SELECT sum(extract(year FROM at)), sum(extract(month FROM at)), avg(extract(day FROM at)) FROM mixed;
SELECT count(*) FROM mixed WHERE extract(month FROM day) = 2 AND extract(day FROM day) = 29;
SELECT count(*) FROM mixed WHERE extract(year FROM day) IN (1994, 1995) OR extract(hour FROM at) >= 12;
SELECT extract(year FROM max(day)), extract(month FROM min(at)), extract(minute FROM max(at)) FROM mixed;
SELECT extract(year FROM day), extract(month FROM day), extract(day FROM day), count(*) FROM edge GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT extract(year FROM at), extract(month FROM at), extract(day FROM at), extract(hour FROM at), extract(minute FROM at), count(*) FROM edge GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
SELECT day, count(*) FROM edge GROUP BY day ORDER BY day;
SELECT at, count(*) FROM edge GROUP BY at ORDER BY at DESC;
SELECT date '1996-01-31' + interval '1 month', date '1996-02-29' + interval '1 year', timestamp '1996-03-31 10:00' - interval '1 month' FROM mixed HAVING count(*) > 0;
SELECT date '1995-01-01' + 45, date '1995-01-01' - date '1994-01-01', date '19950617', timestamp '1995-06-17 10:11:12.25' FROM mixed HAVING count(*) > 0;
SELECT date '1995-01-01' + interval '36 hours', timestamp '1995-01-01' + interval '-3 hours 20 minutes', date '1995-01-01' + interval '01:30:00' FROM mixed HAVING count(*) > 0;
SELECT date '0044-03-15 BC', timestamp '0044-03-15 12:00 BC', date '10000-01-01' FROM mixed HAVING count(*) > 0;
SELECT count(*) FROM edge WHERE day < at OR day > timestamp '2000-01-01 00:00:00' OR at <= day;
SELECT at::date, count(*) FROM edge GROUP BY 1 ORDER BY 1;
--@ refused
SELECT extract(dow FROM day), extract(quarter FROM day), count(*) FROM mixed GROUP BY 1, 2 ORDER BY 1, 2;
--@ refused
SELECT extract(second FROM at), count(*) FROM mixed GROUP BY 1 ORDER BY 1;
--@ refused
SELECT date_part('year', day), count(*) FROM mixed GROUP BY 1 ORDER BY 1;
--@ refused
SELECT date_trunc('month', at), count(*) FROM mixed GROUP BY 1 ORDER BY 1;
--@ error
SELECT count(*) FROM mixed WHERE day > date '1995-02-30';
--@ error
SELECT count(*) FROM mixed WHERE at > timestamp '1995-01-01 25:00:00';
--@ error
SELECT max(day) + 2147483647 FROM mixed;
--@ error
SELECT max(day + 1) FROM edge;
--@ error
SELECT min(day::timestamp) FROM edge;
--@ error
SELECT extract(hour FROM day) FROM mixed GROUP BY 1;

-- == TPC-H

select
	l_returnflag,
	l_linestatus,
	sum(l_quantity) as sum_qty,
	sum(l_extendedprice) as sum_base_price,
	sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
	sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge,
	avg(l_quantity) as avg_qty,
	avg(l_extendedprice) as avg_price,
	avg(l_discount) as avg_disc,
	count(*) as count_order
from
	lineitem
where
	l_shipdate <= date '1998-12-01' - interval '90' day
group by
	l_returnflag,
	l_linestatus
order by
	l_returnflag,
	l_linestatus;
select
	sum(l_extendedprice * l_discount) as revenue
from
	lineitem
where
	l_shipdate >= date '1994-01-01'
	and l_shipdate < date '1994-01-01' + interval '1' year
	and l_discount between 0.06 - 0.01 and 0.06 + 0.01
	and l_quantity < 24;
SELECT l_shipmode, sum(CASE WHEN l_shipinstruct = 'NONE' OR l_shipinstruct = 'COLLECT COD' THEN 1 ELSE 0 END) AS high_line_count, sum(CASE WHEN l_shipinstruct <> 'NONE' AND l_shipinstruct <> 'COLLECT COD' THEN 1 ELSE 0 END) AS low_line_count FROM lineitem WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= date '1994-01-01' AND l_receiptdate < date '1994-01-01' + interval '1' year GROUP BY l_shipmode ORDER BY l_shipmode;
SELECT 100.00 * sum(CASE WHEN l_shipmode LIKE 'REG%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END) / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue FROM lineitem WHERE l_shipdate >= date '1995-09-01' AND l_shipdate < date '1995-09-01' + interval '1' month;
SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount)) FROM lineitem WHERE l_shipdate >= date '1996-01-01' AND l_shipdate < date '1996-01-01' + interval '3' month GROUP BY l_suppkey ORDER BY 2 DESC, 1 LIMIT 10;
SELECT l_orderkey, sum(l_quantity) FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 150 ORDER BY 2 DESC, 1;
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem WHERE (l_partkey < 100000 AND l_shipmode IN ('AIR', 'REG AIR') AND l_quantity >= 1 AND l_quantity <= 1 + 10 AND l_shipinstruct = 'DELIVER IN PERSON') OR (l_partkey >= 100000 AND l_quantity BETWEEN 10 AND 20 AND l_shipmode = 'FOB');
--@ refused
SELECT l_returnflag || l_linestatus, count(*) FROM lineitem GROUP BY l_returnflag, l_linestatus ORDER BY 1;
SELECT count(*) FROM lineitem WHERE l_comment LIKE '%special%requests%';
SELECT count(*) FROM lineitem WHERE l_comment NOT LIKE '%special%requests%' AND l_shipmode LIKE '%AIR';
SELECT extract(year FROM l_shipdate) AS l_year, sum(l_extendedprice * (1 - l_discount) - 12.5 * l_quantity) AS sum_profit FROM lineitem GROUP BY extract(year FROM l_shipdate) ORDER BY l_year DESC;
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem WHERE l_quantity < 0.2 * 25;
SELECT max(l_receiptdate - l_shipdate), avg(l_receiptdate - l_shipdate), min(l_commitdate - l_shipdate) FROM lineitem;

-- == GROUP BY, output names and positions

SELECT code, count(*) FROM mixed GROUP BY code ORDER BY code;
SELECT code, flag, count(*) FROM mixed GROUP BY code, flag ORDER BY code, flag;
SELECT flag, count(*) FROM mixed GROUP BY flag ORDER BY flag DESC;
SELECT day, count(*) FROM mixed GROUP BY day ORDER BY count(*) DESC, day LIMIT 20;
SELECT code, flag, tiny, "Mixed Case", "order", count(*), sum(n) FROM mixed GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
SELECT count(*) FROM mixed GROUP BY code ORDER BY code;
SELECT count(*) FROM mixed GROUP BY code, tiny;
SELECT code FROM mixed GROUP BY code;
SELECT code AS "The Code", count(*) AS "order" FROM mixed GROUP BY "code" ORDER BY "order" DESC, "The Code";
SELECT m.code, count(m.n) FROM mixed m GROUP BY m.code ORDER BY m.code;
SELECT mixed.code, count(mixed.n) FROM mixed GROUP BY mixed.code ORDER BY mixed.code;
SELECT m.code FROM mixed AS m WHERE m.n > 0 GROUP BY code ORDER BY m.code DESC;
SELECT CODE, COUNT(*), Sum(N) FROM Mixed GROUP BY Code ORDER BY cOdE;
SELECT n / 10000 AS bucket, count(*), sum(price) FROM mixed GROUP BY n / 10000 ORDER BY bucket;
SELECT n / 10000 AS bucket, count(*) FROM mixed GROUP BY bucket ORDER BY count(*) DESC, bucket;
SELECT n > 0 AS positive, price > 100, count(*) FROM mixed GROUP BY positive, 2 ORDER BY 1, 2;
SELECT n % 2 + 1 AS k, (n % 2 + 1) * 10 AS k10, count(*) FROM mixed GROUP BY n % 2 + 1 ORDER BY k;
SELECT tiny + 1, count(*) FROM mixed GROUP BY tiny ORDER BY tiny;
SELECT tiny * 2 + max(small), count(*) FROM mixed GROUP BY tiny ORDER BY tiny;
SELECT tiny AS n, count(*) FROM mixed GROUP BY tiny ORDER BY n;
SELECT code AS flag, count(*) FROM mixed GROUP BY code, flag ORDER BY 1, 2;
--@ refused
SELECT code, code AS again, 'c' || code, count(*) FROM mixed GROUP BY code ORDER BY code;
SELECT count(*) AS code, code AS c FROM mixed GROUP BY c ORDER BY c;
SELECT ubig, un, big, count(*) FROM edge GROUP BY ubig, un, big ORDER BY ubig, un, big;
SELECT tiny, small, n, count(*) FROM edge GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2 DESC, 3 DESC;
SELECT flag, day, at, code, count(*) FROM edge GROUP BY flag, day, at, code ORDER BY 1, 2, 3, 4;
SELECT price, rate, whole, micro, count(*) FROM edge GROUP BY price, rate, whole, micro ORDER BY 1, 2, 3, 4;
SELECT flag AND n > 0, count(*) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT nullif(flag, false), nullif(tiny, 0), count(*) FROM mixed GROUP BY 1, 2 ORDER BY 1, 2;
SELECT nullif(day, date '1996-02-29'), count(*) FROM mixed WHERE day < date '1992-03-01' OR day = date '1996-02-29' GROUP BY 1 ORDER BY 1 NULLS FIRST;
SELECT price * 2, count(*) FROM mixed WHERE price BETWEEN 0 AND 50 GROUP BY price * 2 ORDER BY 1;
SELECT 1, count(*) FROM mixed GROUP BY 1;
--@ refused
SELECT count(*) FROM mixed GROUP BY ();
SELECT price::integer AS p, count(*) FROM mixed WHERE price BETWEEN -4 AND 4 GROUP BY p ORDER BY p;

-- == HAVING

SELECT code, count(*) FROM mixed GROUP BY code HAVING count(*) > 100 ORDER BY code;
SELECT code, sum(n) FROM mixed GROUP BY code HAVING sum(n) > 0 AND avg(price) > 10 ORDER BY code;
SELECT tiny, count(*) FROM mixed GROUP BY tiny HAVING tiny > 3 OR max(n) > 99000 ORDER BY tiny;
SELECT code FROM mixed GROUP BY code HAVING sum(n) FILTER (WHERE n > 1000000) > 0;
SELECT code FROM mixed GROUP BY code HAVING max(n) IS NOT NULL AND NOT code = 'A' ORDER BY 1;
SELECT code, min(name) FROM mixed GROUP BY code HAVING min(name) < 'b' AND code IN ('A', 'B') ORDER BY 1;
SELECT count(*) FROM mixed HAVING count(*) BETWEEN 1 AND 100000;
SELECT sum(n) FROM mixed HAVING NULL;

-- == ORDER BY, LIMIT, OFFSET

SELECT code, count(*) AS c FROM mixed GROUP BY code ORDER BY c DESC, code ASC;
SELECT code, count(*) FROM mixed GROUP BY code ORDER BY sum(n) DESC;
SELECT code FROM mixed GROUP BY code ORDER BY max(n) - min(n), code;
SELECT tiny, sum(n) FROM mixed GROUP BY tiny ORDER BY abs(tiny), tiny;
SELECT tiny, nullif(tiny, 2) FROM mixed GROUP BY tiny ORDER BY 2 NULLS FIRST, 1;
SELECT tiny, nullif(tiny, 2) AS t FROM mixed GROUP BY tiny ORDER BY t DESC, 1;
SELECT tiny, nullif(tiny, 2) AS t FROM mixed GROUP BY tiny ORDER BY t DESC NULLS LAST;
SELECT tiny, nullif(tiny, 2) AS t FROM mixed GROUP BY tiny ORDER BY t ASC NULLS FIRST;
SELECT tiny, count(*) FROM mixed GROUP BY tiny ORDER BY tiny LIMIT 5;
SELECT tiny, count(*) FROM mixed GROUP BY tiny ORDER BY tiny LIMIT 5 OFFSET 3;
SELECT tiny, count(*) FROM mixed GROUP BY tiny ORDER BY tiny DESC OFFSET 18;
SELECT tiny, count(*) FROM mixed GROUP BY tiny ORDER BY tiny OFFSET 1000;
SELECT tiny FROM mixed GROUP BY tiny ORDER BY tiny LIMIT ALL OFFSET 0;
SELECT tiny FROM mixed GROUP BY tiny ORDER BY tiny LIMIT NULL;
SELECT tiny FROM mixed GROUP BY tiny ORDER BY tiny LIMIT 2 + 1;
SELECT tiny FROM mixed GROUP BY tiny ORDER BY tiny FETCH FIRST 3 ROWS ONLY;
SELECT count(*) AS c FROM mixed GROUP BY tiny ORDER BY c, tiny;
--@ ties
SELECT flag, count(*) > 0 AS any_of FROM mixed GROUP BY flag, code ORDER BY any_of;
SELECT code, avg(price) AS a FROM mixed GROUP BY code ORDER BY a DESC, code LIMIT 3;
SELECT code, flag, count(*) FROM mixed GROUP BY code, flag ORDER BY flag DESC, code DESC;
SELECT name, max(r8) FROM mixed GROUP BY name ORDER BY max(r8) DESC, name;
SELECT day, count(*) FROM mixed GROUP BY day ORDER BY day DESC LIMIT 7;
SELECT at FROM mixed GROUP BY at ORDER BY at LIMIT 3;
SELECT count(*) FROM mixed ORDER BY 1;
SELECT tiny AS small, small AS tiny FROM edge GROUP BY 1, 2 ORDER BY small, tiny;
--@ error
SELECT tiny FROM mixed GROUP BY tiny ORDER BY 2;
--@ error
SELECT tiny FROM mixed GROUP BY tiny LIMIT -1;
--@ error
SELECT tiny FROM mixed GROUP BY tiny ORDER BY n;

-- == DISTINCT

SELECT DISTINCT code FROM mixed;
SELECT DISTINCT code FROM mixed ORDER BY code DESC;
SELECT DISTINCT code, flag FROM mixed WHERE n > 0 ORDER BY code, flag;
SELECT DISTINCT n % 3 AS r FROM mixed ORDER BY r;
SELECT DISTINCT nullif(ub, 7) FROM mixed ORDER BY 1;
SELECT DISTINCT count(*) > 100 FROM mixed GROUP BY code ORDER BY 1;
SELECT DISTINCT flag FROM mixed GROUP BY code, flag ORDER BY flag;
SELECT DISTINCT extract(year FROM day) FROM mixed ORDER BY 1 LIMIT 3;
SELECT DISTINCT 1 FROM mixed;
SELECT DISTINCT tiny, count(*) FROM mixed GROUP BY tiny ORDER BY tiny DESC LIMIT 4;
--@ error
SELECT DISTINCT code FROM mixed ORDER BY n;
--@ refused
SELECT DISTINCT ON (code) code, flag FROM mixed GROUP BY code, flag ORDER BY code, flag;
--@ refused
SELECT count(DISTINCT code) FROM mixed;

-- == expressions over aggregates

SELECT avg(price) * 2, sum(price) / sum(n), sum(price) / count(*), sum(n) / count(*) FROM mixed;
SELECT round(avg(price), 2), round(100.0 * sum(CASE WHEN flag THEN 1 ELSE 0 END) / count(*), 3) FROM mixed;
SELECT 100.0 * sum(CASE WHEN flag THEN price ELSE 0 END) / sum(price) FROM mixed;
SELECT code, 100.0 * count(*) FILTER (WHERE flag) / count(*) AS share FROM mixed GROUP BY code ORDER BY share DESC, code;
SELECT max(n) - min(n), (max(n) + min(n)) / 2, max(price) - avg(price), -sum(n), abs(min(n)) FROM mixed;
SELECT count(*) * 2 + 1, count(*) % 7, sum(n) % 1000, sum(big) / 3, sum(ubig) % 10 FROM mixed;
SELECT sum(n) > 0, count(*) = count(n), min(name) < max(name), bool_or(flag) AND bool_and(flag) FROM mixed;
SELECT coalesce(max(nullif(n, n)), min(n)), nullif(max(code), 'R'), max(code) IN ('R', 'O') FROM mixed;
SELECT sum(r8) / count(*) - avg(r8) < 0.000001, avg(r8) > 0 OR avg(r8) <= 0 FROM mixed;
SELECT sum(n) IS NULL, max(name) LIKE '%e', max(day) BETWEEN date '1990-01-01' AND date '2000-01-01' FROM mixed;
SELECT sum(n), sum(n), sum(n) + 1, sum(n) FILTER (WHERE flag) FROM mixed;
SELECT sum(price) AS sum, avg(price) avg, count(*) FROM mixed;
SELECT code, sum(price) / nullif(sum(rate), 0), avg(price) / nullif(tiny, 0) FROM mixed GROUP BY code, tiny ORDER BY code, tiny;
--@ refused
SELECT tiny, tiny / 2.0, tiny * avg(price), sum(n) / nullif(tiny, 0), tiny || 'x' FROM mixed GROUP BY tiny ORDER BY tiny;
--@ refused
SELECT greatest(max(n), 5), least(min(n), 5) FROM mixed;

-- == what PostgreSQL refuses

--@ error
SELECT nope FROM mixed;
--@ error
SELECT count(*) FROM mixed WHERE nope = 1;
--@ error
SELECT sum(nope) FROM mixed GROUP BY code;
--@ error
SELECT x.code FROM mixed m GROUP BY 1;
--@ error
SELECT mixed.code FROM mixed m GROUP BY 1;
--@ error
SELECT "Code", count(*) FROM mixed GROUP BY 1;
--@ error
SELECT code, count(*) FROM mixed;
--@ error
SELECT code, n FROM mixed GROUP BY code;
--@ error
SELECT code FROM mixed GROUP BY code HAVING n > 1;
--@ error
SELECT count(*) FROM mixed WHERE count(*) > 1;
--@ error
SELECT sum(count(*)) FROM mixed;
--@ error
SELECT count(*) FROM mixed GROUP BY count(*);
--@ error
SELECT count(*) FROM mixed WHERE n;
--@ error
SELECT count(*) FROM mixed WHERE name;
--@ error
SELECT count(*) FROM mixed WHERE n AND flag;
--@ error
SELECT count(*) FROM mixed WHERE NOT price;
--@ error
SELECT count(*) FROM mixed HAVING sum(n);
--@ error
SELECT count(*) FROM mixed WHERE name + 1 > 2;
--@ error
SELECT count(*) FROM mixed WHERE name = 5;
--@ error
SELECT count(*) FROM mixed WHERE day = 5;
--@ error
SELECT count(*) FROM mixed WHERE flag = 1;
--@ error
SELECT count(*) FROM mixed WHERE n LIKE '1%';
--@ error
SELECT sum(name) FROM mixed;
--@ error
SELECT sum(flag) FROM mixed;
--@ error
SELECT sum(day) FROM mixed;
--@ error
SELECT max(flag) FROM mixed;
--@ error
SELECT bool_and(n) FROM mixed;
--@ error
SELECT day + day FROM mixed GROUP BY 1;
--@ error
SELECT r8 % 2 FROM mixed GROUP BY 1;
--@ error
SELECT -name FROM mixed GROUP BY 1;
--@ error
SELECT abs(name) FROM mixed GROUP BY 1;
--@ error refused
SELECT frobnicate(n) FROM mixed;
--@ error
SELECT sum(n, n) FROM mixed;
--@ error
SELECT sum() FROM mixed;
--@ error
SELECT CASE WHEN flag THEN 1 ELSE 'x' END FROM mixed GROUP BY 1;
--@ error
SELECT CASE WHEN flag THEN n ELSE name END FROM mixed GROUP BY 1;
--@ error
SELECT CASE WHEN flag THEN n ELSE day END FROM mixed GROUP BY 1;
--@ error
SELECT coalesce(n, name) FROM mixed GROUP BY 1;
--@ error
SELECT count(*) FROM mixed WHERE n IN (1, 'x');
--@ error
SELECT count(*) FROM mixed WHERE n BETWEEN 1 AND name;
--@ error
SELECT count(*) FROM mixed GROUP BY 2;
--@ error
SELECT count(*) FROM mixed GROUP BY 'x';
--@ error
SELECT code AS a, flag AS a, count(*) FROM mixed GROUP BY code, flag ORDER BY a;
--@ error
SELECT count(*) FILTER (WHERE n) FROM mixed;
--@ error refused
SELECT code::nonsense FROM mixed GROUP BY 1;
--@ error
SELECT count(*) FROM mixed WHERE flag IS NOT TRUE AND n IS TRUE;
--@ error
SELECT count(*) FROM mixed WHERE;
--@ error
SELEC count(*) FROM mixed;

-- == what is PostgreSQL's and perhaps not ours

--@ refused
SELECT code, n FROM mixed ORDER BY n, code LIMIT 3;
--@ refused
SELECT * FROM mixed WHERE n > 99000;
--@ refused
SELECT count(*) FROM mixed a, mixed b WHERE a.n = b.n;
--@ refused
SELECT count(*) FROM (SELECT code FROM mixed GROUP BY code) s;
--@ refused
WITH m AS (SELECT * FROM mixed) SELECT count(*) FROM m;
--@ refused
SELECT count(*) FROM mixed WHERE n > (SELECT avg(n) FROM mixed);
--@ refused
SELECT code, count(*) OVER () FROM mixed GROUP BY code;
--@ refused
SELECT code, flag, count(*) FROM mixed GROUP BY ROLLUP (code, flag) ORDER BY 1, 2;
--@ refused
SELECT stddev(n), variance(r8) FROM mixed;
--@ refused
SELECT string_agg(code, ',' ORDER BY n) FROM mixed;
--@ refused
SELECT upper(code), length(name), count(*) FROM mixed GROUP BY 1, 2 ORDER BY 1, 2;
--@ refused
SELECT sqrt(max(n)), power(max(tiny), 2), max(tiny) ^ 2, max(n) & 7 FROM mixed;
--@ refused
SELECT count(*) FROM mixed UNION SELECT count(*) FROM edge;
--@ refused
SELECT n = ANY (ARRAY[1, 2]), count(*) FROM mixed GROUP BY 1 ORDER BY 1;
--@ refused
SELECT count(*) FROM mixed WHERE (tiny, small) = (1, 2);
--@ refused
SELECT count(*) FROM mixed WHERE day::text LIKE '1996%' OR n::text = '12';

-- == what random queries seldom meet

-- more digits than there are: zeros
SELECT min(round(price, 5)), max(trunc(price, 4)), sum(round(price, 3)), min(round(n, 2)) FROM mixed;
SELECT round(rate, 6) AS r, count(*) FROM mixed GROUP BY r ORDER BY r;
--@ refused
SELECT sum(n::numeric(38, 20)) FROM mixed;
--@ refused
SELECT sum(round(price, 19)) FROM mixed;
-- sides of a comparison that have no common scale in 64 bits
SELECT count(*) FILTER (WHERE big > price), count(*) FILTER (WHERE big >= rate), count(*) FILTER (WHERE micro < big) FROM edge;
SELECT count(*) FILTER (WHERE whole = rate), count(*) FILTER (WHERE rate <> whole), count(*) FILTER (WHERE micro <= whole) FROM edge;
SELECT count(*) FILTER (WHERE nullif(whole, 0) < micro), count(*) FILTER (WHERE big = whole), count(*) FILTER (WHERE NOT whole > rate) FROM edge;
-- long lists of what may be NULL
SELECT count(*) FROM mixed WHERE nullif(tiny, 0) IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40);
SELECT count(*) FROM mixed WHERE NOT nullif(tiny, 0) IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40);
SELECT nullif(tiny, 0) IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40) AS known, count(*) FROM mixed GROUP BY 1 ORDER BY 1;
-- logic with three values as a value
SELECT nullif(tiny, 1) > 0 AND nullif(ub, 0) > 3, nullif(tiny, 1) > 0 OR nullif(ub, 0) > 3, count(*) FROM mixed GROUP BY 1, 2 ORDER BY 1, 2;
SELECT NOT (nullif(tiny, 1) > 0 OR (nullif(ub, 0) > 3 AND NOT nullif(n, 0) > 5)) AS x, count(*) FROM mixed GROUP BY 1 ORDER BY 1;
SELECT count(nullif(tiny, 1) > 0 AND nullif(ub, 0) > 3), bool_and(nullif(tiny, 1) > 0 OR nullif(ub, 0) > 3) FROM mixed;
-- years that a timestamp has not
SELECT extract(year FROM max(day)), extract(month FROM max(day)), extract(year FROM min(day)) FROM edge;
-- texts that are counted, not looked at
SELECT count(t33), count(nullif(t33, 'a')), count(CASE WHEN v > 0 THEN t33 WHEN v < -3 THEN t24 END) FROM texts;
SELECT count(*) FROM texts WHERE (CASE WHEN v > 0 THEN t33 END) IS NULL OR coalesce(nullif(t17, 'a'), nullif(t16, 'a')) IS NULL;
-- dates that no timestamp reaches
SELECT count(*) FILTER (WHERE day < at), count(*) FILTER (WHERE at <= day), count(*) FILTER (WHERE day = at), count(*) FILTER (WHERE at <> day) FROM edge;
SELECT count(*) FILTER (WHERE at < date '5000000-01-01'), count(*) FILTER (WHERE at > date '2000-01-01'), count(*) FILTER (WHERE nullif(day, date '1970-01-01') > timestamp '2000-01-01 01:00') FROM edge;
SELECT max(day) > max(at), min(day) = min(at), max(day) > timestamp '2000-01-01', date '5000000-01-01' > timestamp '2000-01-01' FROM edge;
SELECT count(*) FROM edge WHERE day BETWEEN timestamp '1969-12-31 12:00' AND at OR day IN (timestamp '2000-02-29', timestamp '2000-03-01 01:00');
