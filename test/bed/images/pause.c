/* Holds a pod's namespaces open: sleeps, reaps orphans, ends on SIGINT and SIGTERM. */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

/* With -v it ends at once: by that kubeadm sees whether pods run. */
int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "-v") == 0)
    return 0;
  sigset_t waited;
  int number;
  sigemptyset(&waited);
  sigaddset(&waited, SIGINT);
  sigaddset(&waited, SIGTERM);
  sigaddset(&waited, SIGCHLD);
  sigprocmask(SIG_BLOCK, &waited, NULL);
  while (sigwait(&waited, &number) == 0 && number == SIGCHLD)
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
  return 0;
}
