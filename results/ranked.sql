-- All rows of `pool`, the best of each cell first; `tied` is how many are in view `tied` for the cell,
-- 0 for a row that is not. Both are defined by the statement around this.
SELECT pool.*, coalesce(tied.tied, 0) AS tied
FROM pool LEFT JOIN tied ON tied.measurement_id = pool.measurement_id
ORDER BY pool.n, pool.k, pool.bits, pool.group_size, pool.type, pool.m,
         pool.grade DESC, pool.ratio DESC, pool.family, pool.params
