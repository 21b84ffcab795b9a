-- The newest reports of all domains first, page by page: without it each page sorts all reports of its window.
create index report_day_key on report (day desc, key);
