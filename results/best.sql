-- The winner of each cell among the rows of `pool`, which the statement around this defines over
-- view `eligible`. The leader is the row with the largest paired ratio to the baseline, among those
-- with at least 6 samples if there are any: fewer have no 95 % interval, and come from candidates
-- that left the race early. Rows tie with it within 1 %, or within 3 % when their intervals overlap:
-- on a noisy device intervals alone would let much slower kernels win. A tie goes to the fewest
-- split-K, then the fewest registers, the least shared memory, the first by name.
SELECT m, n, k, bits, group_size, type, device, family, params,
       time_us, ratio, ratio_lo, ratio_hi, baseline_us, baseline_first_us,
       gb_s, tflop_s, floor_us, floor_pct, nrmse, nrmse_original,
       registers, shared_bytes, local_bytes, samples, layout, launch, binary_hash,
       device_key, policy, cell_id, candidate_id, measurement_id, run_id,
       measured_at, driver, compiler, commit_id
FROM (SELECT *, row_number() OVER (PARTITION BY cell_id
                                   ORDER BY coalesce(json_extract(params, '$.split_k'), 1),
                                            registers, shared_bytes, family, params) AS place
      FROM (SELECT *,
                   first_value(ratio) OVER leader AS leader_ratio,
                   first_value(ratio_lo) OVER leader AS leader_lo,
                   first_value(samples) OVER leader AS leader_samples
            FROM pool
            WINDOW leader AS (PARTITION BY cell_id ORDER BY samples >= 6 DESC, ratio DESC))
      WHERE (samples >= 6 OR leader_samples < 6)
            AND (ratio * 1.01 >= leader_ratio OR (samples >= 6 AND ratio_hi >= leader_lo AND ratio * 1.03 >= leader_ratio)))
WHERE place = 1
ORDER BY device_key, policy, n, k, bits, group_size, type, m
