export {
  nextScheduleChange,
  scheduledReplicas,
  timetableOf,
  type ScheduledReplicas,
  type Timetable,
} from './timetable.ts';
