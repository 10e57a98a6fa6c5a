export { isOpen, nextOpening, parseWindows, type Windows } from './windows.ts';
