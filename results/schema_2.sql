-- Version 2: several processes a row, what the device said of itself, incumbents and the journal.

ALTER TABLE run ADD COLUMN key TEXT;    -- identifies a run wherever it is merged into
UPDATE run SET key = started_at || ' ' || uuid || ' ' || id;
CREATE UNIQUE INDEX run_key ON run (key);
ALTER TABLE run ADD COLUMN empty_launch_us REAL;    -- what a kernel that does nothing takes there
ALTER TABLE run ADD COLUMN device_s REAL;           -- how long it kept the device busy

-- The candidate that won when the cell was last decided: it stays the winner until another beats
-- it by more than `margin`.
ALTER TABLE cell ADD COLUMN incumbent_id INTEGER REFERENCES candidate (id);
ALTER TABLE cell ADD COLUMN margin REAL;
-- When it was: measured_at of the newest row there was, and from how many processes its winner was to
-- come. With both unchanged there is nothing to decide again, even where the device was too busy to
-- confirm it.
ALTER TABLE cell ADD COLUMN decided_at TEXT;
ALTER TABLE cell ADD COLUMN decided_processes INTEGER;

ALTER TABLE measurement ADD COLUMN processes INTEGER NOT NULL DEFAULT 1;    -- that samples come from
UPDATE measurement SET processes = 0 WHERE samples = 0;
ALTER TABLE measurement ADD COLUMN discarded INTEGER NOT NULL DEFAULT 0;    -- blocks not counted
ALTER TABLE measurement ADD COLUMN power_w REAL;        -- the highest read around a block
ALTER TABLE measurement ADD COLUMN temperature_c REAL;  -- likewise
ALTER TABLE measurement ADD COLUMN energy_uj REAL;      -- per call

ALTER TABLE sample ADD COLUMN process INTEGER NOT NULL DEFAULT 0;   -- 0: the race; else confirming it
ALTER TABLE sample ADD COLUMN sm_clock_mhz REAL;

-- Kernels that are being run for the first time. A row that a sweep left behind is one that went
-- down with it; `crashes` counts how often the machine itself did (it has another boot_id since).
CREATE TABLE attempt (
    cell_id INTEGER NOT NULL REFERENCES cell (id),
    identity TEXT NOT NULL,
    launch TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    crashes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cell_id, identity, launch)
) WITHOUT ROWID;

DROP VIEW eligible;
DROP VIEW candidates_flat;

-- Every measurement with what was measured.
CREATE VIEW candidates_flat AS
SELECT measurement.id AS measurement_id, cell_id, candidate_id, run_id,
       device.name AS device, device.key AS device_key, uuid, cell.policy,
       m, n, k, bits, group_size, type,
       family, params, layout, launch, binary_hash, status, message,
       time_us, ratio, ratio_lo, ratio_hi, baseline_us, baseline_first_us,
       gb_s, tflop_s, floor_us, floor_pct,
       rmse, nrmse, rmse_original, nrmse_original, repeatable,
       registers, shared_bytes, local_bytes, samples, processes, discarded,
       (SELECT avg(sm_clock_mhz) FROM sample WHERE measurement_id = measurement.id) AS sm_clock_mhz,
       power_w, temperature_c, energy_uj, empty_launch_us,
       incumbent_id, margin,
       measured_at, driver, compiler, commit_id
FROM measurement
JOIN cell ON cell.id = cell_id
JOIN candidate ON candidate.id = candidate_id
JOIN run ON run.id = run_id
JOIN device ON device.id = cell.device_id;

-- What may win a cell: correct and timed, and not since measured again as other code (a changed
-- source or compiler gives the same family and parameters a new kernel; the newest one counts).
CREATE VIEW eligible AS
SELECT *
FROM candidates_flat AS row
WHERE status = 'correct' AND ratio IS NOT NULL
      AND NOT EXISTS (SELECT 1
                      FROM candidate JOIN measurement ON candidate_id = candidate.id
                      WHERE family = row.family AND params = row.params
                            AND cell_id = row.cell_id
                            AND (measurement.measured_at, measurement.id)
                                > (row.measured_at, row.measurement_id));
