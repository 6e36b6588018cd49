-- The winner of each cell: place 1 of `tied`, which the statement around this defines.
SELECT m, n, k, bits, group_size, type, device, family, params,
       time_us, ratio, ratio_lo, ratio_hi, baseline_us, baseline_first_us,
       gb_s, tflop_s, floor_us, floor_pct, nrmse, nrmse_original, repeatable,
       registers, shared_bytes, local_bytes, samples, processes, tied, discarded,
       sm_clock_mhz, power_w, temperature_c, energy_uj, empty_launch_us,
       layout, launch, binary_hash, device_key, uuid, policy,
       cell_id, candidate_id, measurement_id, run_id, stays AS incumbent,
       measured_at, driver, compiler, commit_id
FROM tied
WHERE place = 1
ORDER BY device_key, policy, n, k, bits, group_size, type, m
