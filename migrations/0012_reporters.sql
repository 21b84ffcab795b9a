-- What reporters said in a window is read out of an index: the rows are wide, and half a million of them took 200 ms.
set local work_mem = '64MB';

alter table report -- An index row is 2,704 bytes at most, and a name may be longer than that.
  add column label text generated always as (left(organization, 255)) stored;
drop index report_reporter_day;
create index report_reporter_day on report (reporter, day, counted) include (label, successful, failed);

-- Few are odd, and fewer contested: without these all reports of a window are read to find none.
create index report_odd on report (reporter, day) where anomalies <> '[]';
create index report_contested on report (domain, day) where standing = 'contested';
