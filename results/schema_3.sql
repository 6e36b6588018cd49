-- Version 3: the 2-bit codes of the fragment layout lie in another order. Kernels that take the
-- old one are of no use: cells forget what was measured of them, and decide again.

CREATE TEMP TABLE stale AS
SELECT measurement.id AS id, cell_id FROM measurement
JOIN cell ON cell.id = cell_id
JOIN candidate ON candidate.id = candidate_id
WHERE bits = 2 AND layout = 'fragment';

UPDATE cell SET incumbent_id = NULL, margin = NULL, decided_at = NULL, decided_processes = NULL
WHERE id IN (SELECT cell_id FROM stale);
DELETE FROM sample WHERE measurement_id IN (SELECT id FROM stale);
DELETE FROM measurement WHERE id IN (SELECT id FROM stale);
DROP TABLE stale;
