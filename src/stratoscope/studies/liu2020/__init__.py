"""The sparse-coding study of Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158, with the controls it lacked."""
