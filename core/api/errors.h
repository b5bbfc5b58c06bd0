#pragma once
// Errors that reach a person. Text: `<operation>: <what, with the value>; <what to do>`.

#include <stdexcept>
#include <string>

namespace plumbline {

/// An operation failed for a reason that the user can act on.
class Error : public std::runtime_error {
  public:
    Error(const std::string& operation, const std::string& what) : std::runtime_error(operation + ": " + what) {}
};

/// A setting has a wrong key or value. The command line answers with exit code 2.
class ConfigError : public Error {
  public:
    using Error::Error;
};

/// The operation was stopped by the user; what was committed stays.
class Stopped : public std::runtime_error {
  public:
    Stopped() : std::runtime_error("stopped") {}
};

}  // namespace plumbline
