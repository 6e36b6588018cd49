-- What an fdkbench of schema version 1 left behind, after the statements of results/schema.sql: its
-- view `best`, and two kernels of one cell, of which the second did not compile.
CREATE VIEW best AS WITH pool AS (SELECT * FROM eligible WHERE true)
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
ORDER BY device_key, policy, n, k, bits, group_size, type, m;

INSERT INTO device (id, key, name, backend, arch, facts)
VALUES (1, 'Fictional 100, sm_90, 4 SMs', 'Fictional 100', 'cuda', 'sm_90a', '{}');

INSERT INTO run (id, device_id, opened_as, uuid, policy, policy_json, compiler, driver, commit_id,
                 command, started_at, ended_at)
VALUES (3, 1, 'cuda:0', 'GPU-Fictional 100', 'cold5-normal-seed1-nrmse0.004-v1',
        '{"cache_bytes_factor":5.0,"inputs":"normal","max_nrmse":0.004,"seed":1}', 'nvrtc 13.0',
        '580.1', 'abcdef', 'fdkbench sweep', '2024-05-06T07:08:09.123Z', '2024-05-06T07:09:09.123Z'),
       (4, 1, 'cuda:0', 'GPU-Fictional 100', 'cold5-normal-seed1-nrmse0.004-v1',
        '{"cache_bytes_factor":5.0,"inputs":"normal","max_nrmse":0.004,"seed":1}', 'nvrtc 13.0',
        '580.1', 'abcdef', 'fdkbench sweep', '2024-05-06T07:08:09.123Z', NULL);

INSERT INTO binary (compile_key, hash) VALUES ('key4', 'hash-key4');

INSERT INTO cell (id, device_id, policy, m, n, k, bits, group_size, type)
VALUES (1, 1, 'cold5-normal-seed1-nrmse0.004-v1', 1, 128, 256, 4, 64, 'bf16');

INSERT INTO candidate (id, family, params, layout, launch, compile_key, binary_hash)
VALUES (1, 'lut_mv', '{"warps":4,"decode":"prmt"}', 'canonical',
        '{"steps":[{"kind":"kernel","kernel":"lut_mv","grid":[1,1,1],"block":[128,1,1],"cluster":1,"shared_bytes":0}],"workspace_bytes":0}',
        'key4', 'hash-key4'),
       (2, 'lut_mv', '{"warps":8,"decode":"prmt"}', 'canonical',
        '{"steps":[{"kind":"kernel","kernel":"lut_mv","grid":[1,1,1],"block":[256,1,1],"cluster":1,"shared_bytes":0}],"workspace_bytes":0}',
        'key8', NULL);

INSERT INTO measurement (id, cell_id, candidate_id, run_id, status, message, time_us, ratio,
                         ratio_lo, ratio_hi, baseline_us, baseline_first_us, gb_s, tflop_s,
                         floor_us, floor_pct, rmse, nrmse, rmse_original, nrmse_original,
                         repeatable, registers, shared_bytes, local_bytes, samples, measured_at)
VALUES (7, 1, 1, 3, 'correct', '', 10, 2, 1.98, 2.02, 20, 21, 1000, 1.5, 5, 50, 0.001, 0.002,
        0.01, 0.1, 1, 64, 1024, 0, 6, '2024-05-06T07:08:10.000Z'),
       (8, 1, 2, 3, 'compile', 'no such type', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, '2024-05-06T07:08:11.000Z');

INSERT INTO sample (measurement_id, block, time_us, baseline_before_us, baseline_after_us)
VALUES (7, 0, 10.0, 20, 20.5), (7, 1, 10.1, 20, 20.5), (7, 2, 9.9, 20, 20.5),
       (7, 3, 10.2, 20, 20.5), (7, 4, 9.8, 20, 20.5), (7, 5, 10.0, 20, 20.5);

PRAGMA application_id = 0x66646b62;
PRAGMA user_version = 1;
