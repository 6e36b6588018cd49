-- The kernels of each cell among which its winner is chosen, out of the rows of `pool`, which the
-- statement around this defines over view `eligible`; the winner has place 1. Rows of the best grade
-- that the cell has count. The leader is the one with the largest paired ratio to the baseline. Rows
-- tie with it within 1 % (2 % until four processes have confirmed them, as the next ones may well
-- reverse that), or within 3 % when their intervals overlap: on a noisy device intervals alone would
-- let much slower kernels win. First comes the incumbent, unless the leader beats it by more than the
-- cell's margin. Then come the near ones, within half of that 1 % or inside the leader's interval: a
-- winner from the edge of a tie would stand outside the tie of the next sweep. Of those, the fewest
-- split-K, the fewest registers, the least shared memory, the first by name.
SELECT *, row_number() OVER (PARTITION BY cell_id
                             ORDER BY stays DESC, near DESC,
                                      coalesce(json_extract(params, '$.split_k'), 1),
                                      registers, shared_bytes, family, params) AS place,
       count(*) OVER (PARTITION BY cell_id) AS tied
FROM (SELECT *,
             candidate_id IS incumbent_id AND ratio * (1 + margin) >= leader_ratio AS stays,
             ratio * (1 + tie / 2) >= leader_ratio
                OR (grade > 0 AND ratio >= leader_lo AND ratio * 1.03 >= leader_ratio) AS near
      FROM (SELECT *,
                   CASE WHEN processes >= 5 THEN 0.01 ELSE 0.02 END AS tie,
                   first_value(ratio) OVER leader AS leader_ratio,
                   first_value(ratio_lo) OVER leader AS leader_lo,
                   first_value(grade) OVER leader AS leader_grade
            FROM pool
            WINDOW leader AS (PARTITION BY cell_id ORDER BY grade DESC, ratio DESC)))
WHERE grade = leader_grade
      AND (stays OR ratio * (1 + tie) >= leader_ratio
           OR (grade > 0 AND ratio_hi >= leader_lo AND ratio * 1.03 >= leader_ratio))
