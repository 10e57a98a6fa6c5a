export { newsOf } from './news.ts';
export { planApp, type AppFacts } from './plan-app.ts';
