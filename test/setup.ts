// Runs before each file; what it loads, once for all files that share a worker.
await import('./patterns.ts');
