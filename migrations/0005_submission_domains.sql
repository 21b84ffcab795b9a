-- Every list that a token of some domains asks for, every filter by domain, and a purge. Adds 3 us and 180 bytes of WAL to
-- a submission, and takes a page of an ordinary domain from a walk over the window (74 ms in 130,000 rows) to 2 ms.
create index submission_domains on submission using gin (domains);
