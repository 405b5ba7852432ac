"""Raw payment data for customs (notices 2018-165 and 2018-179): what is asked, what is uploaded, what is signed."""
