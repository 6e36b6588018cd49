-- Rows of view `eligible` with their grade: 2, confirmed in other processes, 1, with at least the 6
-- samples that a 95 % interval needs, or 0 (they left the race early).
SELECT *, CASE WHEN processes > 1 THEN 2 WHEN samples >= 6 THEN 1 ELSE 0 END AS grade
FROM eligible
