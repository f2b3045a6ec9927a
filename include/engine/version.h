/* The versions that INFO, HELLO and --version report. Clients switch on Redis's. */
#ifndef TERN_ENGINE_VERSION_H
#define TERN_ENGINE_VERSION_H

#define TERN_VERSION  "0.1.0"
#define REDIS_VERSION "7.2.4"

#endif
